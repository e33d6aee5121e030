// The lock of one channel or one semaphore: 4 bytes, unranked. See lang.h, "Locks".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::lang {

/// A three-state futex lock as `RankedMutex`, but select holds several at once, and the
/// goroutine that takes it is parked by the time it is given back.
class QueueLock {
 public:
  constexpr QueueLock() = default;
  QueueLock(const QueueLock&) = delete;
  QueueLock& operator=(const QueueLock&) = delete;

  void lock() {
    uint32_t expected = kFree;
    // Acquire: pairs with the release in unlock.
    if (BURROW_UNLIKELY(!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                                        std::memory_order_relaxed))) {
      lock_slow();
    }
  }

  /// The exchange is the last access: whoever takes the lock next may destroy it.
  void unlock() {
    // Release: pairs with the acquires in lock and lock_slow.
    if (BURROW_UNLIKELY(state_.exchange(kFree, std::memory_order_release) == kContended)) {
      wake_one();
    }
  }

 private:
  enum State : uint32_t { kFree = 0, kHeld = 1, kContended = 2 };

  void lock_slow();
  void wake_one();

  std::atomic<uint32_t> state_{kFree};
};

}  // namespace burrow::lang
