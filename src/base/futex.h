// Sleeping on a word, and waking who sleeps. See base.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace burrow {

/// Sleeps while `word` holds `value`; may return early. Keeps errno.
void futex_wait(std::atomic<uint32_t>& word, uint32_t value);

/// As futex_wait, for at most `ns` nanoseconds; false when the time ran out.
bool futex_wait_for(std::atomic<uint32_t>& word, uint32_t value, int64_t ns);

/// Wakes one sleeper.
void futex_wake_one(std::atomic<uint32_t>& word);

/// Wakes all sleepers.
void futex_wake_all(std::atomic<uint32_t>& word);

}  // namespace burrow
