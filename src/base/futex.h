// Sleeping on a word, and waking who sleeps. See base.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace burrow {

/// Sleeps while `word` holds `value`; may return early. Keeps errno.
void futex_wait(std::atomic<uint32_t>& word, uint32_t value);

/// As futex_wait, for up to `timeout_ns`.
void futex_wait_for(std::atomic<uint32_t>& word, uint32_t value, int64_t timeout_ns);

/// Wakes one sleeper.
void futex_wake_one(std::atomic<uint32_t>& word);

}  // namespace burrow
