// Sleeping on a word, and waking who sleeps. See base.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace burrow {

/// Sleeps while `word` holds `value`; may return early. Keeps errno.
void futex_wait(std::atomic<uint32_t>& word, uint32_t value);

/// Wakes one sleeper.
void futex_wake_one(std::atomic<uint32_t>& word);

}  // namespace burrow
