// The contended path. See queue_lock.h.
#include "lang/queue_lock.h"

#include "base/futex.h"

namespace burrow::lang {

void QueueLock::lock_slow() {
  constexpr int kSpins = 100;
  for (int i = 0; i < kSpins; ++i) {
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

void QueueLock::wake_one() {
  futex_wake_one(state_);
}

}  // namespace burrow::lang
