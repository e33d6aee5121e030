// The ranked mutex. See mutex.h.
#include "base/mutex.h"

#include "base/check.h"

namespace burrow {

#ifndef NDEBUG
namespace {

// The ranks this thread holds, as a bit set. thread_local, so no other thread looks at it.
thread_local uint32_t t_held_ranks = 0;

}  // namespace

void RankedMutex::note_acquire() {
  uint32_t bit = uint32_t{1} << static_cast<uint32_t>(rank_);
  if (t_held_ranks >= bit) {
    fatal("lock order: rank ", static_cast<uint32_t>(rank_), " taken while holding ranks ",
          Hex(t_held_ranks), " (see LockRank)");
  }
  t_held_ranks |= bit;
}

void RankedMutex::note_release() {
  t_held_ranks &= ~(uint32_t{1} << static_cast<uint32_t>(rank_));
}
#endif

bool RankedMutex::try_lock() {
  begin_brief();
  uint32_t expected = kFree;
  // Acquire: pairs with the release in unlock.
  bool taken = state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                              std::memory_order_relaxed);
  if (taken) {
    note_acquire();
  } else {
    end_brief();
  }
  return taken;
}

void RankedMutex::lock_slow() {
  for (int i = 0; i < 100; ++i) {
    uint32_t expected = kFree;
    // Acquire: pairs with the release in unlock.
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return;
    }
    __builtin_ia32_pause();
  }
  // Acquire: pairs with the release in unlock.
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    futex_wait(state_, kContended);
  }
}

void RankedMutex::lock_for_fork() {
  uint32_t expected = kFree;
  // Acquire: pairs with the release in unlock.
  if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
    lock_slow();
  }
}

void RankedMutex::unlock_after_fork() {
  // Release: pairs with the acquires in lock, lock_slow and try_lock.
  if (state_.exchange(kFree, std::memory_order_release) == kContended) {
    futex_wake_one(state_);
  }
}

void RankedMutex::reset_after_fork() {
  state_.store(kFree, std::memory_order_relaxed);
}

}  // namespace burrow
