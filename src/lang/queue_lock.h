// The lock of one channel or one semaphore: 4 bytes, unranked. See lang.h, "Locks".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::lang {

/// It is held for some instructions (and for an element's move), so whoever finds it taken looks
/// again, then lets other threads run, then sleeps for a moment; nobody is woken. So it is given
/// back by a store, where a futex lock needs an exchange.
/// Select holds several at once; the goroutine that takes it may be parked by the time it is given
/// back.
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

  /// The store is the last access: whoever takes the lock next may destroy it.
  void unlock() {
    // Release: pairs with the acquires in lock and lock_slow.
    state_.store(kFree, std::memory_order_release);
  }

 private:
  enum State : uint32_t { kFree = 0, kHeld = 1 };

  void lock_slow();

  std::atomic<uint32_t> state_{kFree};
};

}  // namespace burrow::lang
