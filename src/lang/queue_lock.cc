// The contended path. See queue_lock.h.
#include "lang/queue_lock.h"

#include <algorithm>

#include "base/futex.h"
#include "os/thread.h"

namespace burrow::lang {

void QueueLock::lock_slow() {
  constexpr int kSpins = 100;
  constexpr int kYields = 10;
  constexpr int64_t kShortestNs = 20'000;
  constexpr int64_t kLongestNs = 1'000'000;
  int64_t sleep_ns = kShortestNs;
  for (int round = 0;; ++round) {
    uint32_t expected = kFree;
    // Acquire: pairs with the release in unlock.
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return;
    }
    if (round < kSpins) {
      __builtin_ia32_pause();
    } else if (round < kSpins + kYields) {
      os::yield_thread();  // its holder may have been preempted
    } else {
      (void)futex_wait_for(state_, kHeld, sleep_ns);
      sleep_ns = std::min(sleep_ns * 2, kLongestNs);
    }
  }
}

}  // namespace burrow::lang
