// Waiting without channels: Go's package sync. Everything here parks a goroutine that must wait,
// and blocks a plain thread.
//
// All may be globals (constant-initialised). A Mutex, WaitGroup or Cond may be destroyed as soon as
// nobody waits on it, even by one that was just let through while the call that let it through has
// not returned yet. A RWMutex or Once may be when no call is under way.
#pragma once

#include <burrow/internal/cxx20.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>

#include "burrow/internal/spawn.h"
#include "burrow/internal/sync.h"

namespace burrow {

/// A mutual exclusion lock: Go's sync.Mutex. Fits std::lock_guard and its kin. Not recursive, not
/// bound to the goroutine that took it.
///
/// Who comes while it is free takes it, even before one that was woken for it; one that has waited
/// for more than 1 ms gets it handed over directly (Go's starvation mode).
class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    uint32_t expected = 0;
    // Acquire: pairs with the release in unlock.
    if (!state_.compare_exchange_strong(expected, kLocked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) [[unlikely]] {
      internal::mutex_lock_slow(state_, semaphore_);
    }
  }

  /// False when it is taken, or about to be handed over.
  [[nodiscard]] bool try_lock() {
    uint32_t expected = state_.load(std::memory_order_relaxed);
    // Acquire: pairs with the release in unlock.
    return (expected & (kLocked | kStarving)) == 0 &&
           state_.compare_exchange_strong(expected, expected | kLocked, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }

  /// Any goroutine or thread may unlock. Ends the program when the mutex is not locked.
  void unlock() {
    // Release: pairs with the acquires in lock, try_lock and mutex_lock_slow.
    uint32_t now = state_.fetch_sub(kLocked, std::memory_order_release) - kLocked;
    if (now != 0) [[unlikely]] {
      internal::mutex_unlock_slow(state_, semaphore_, now);
    }
  }

  // The bits of the state; the rest counts those that wait.
  static constexpr uint32_t kLocked = 1;    ///< held
  static constexpr uint32_t kWoken = 2;     ///< one that waited is awake and tries: wake no other
  static constexpr uint32_t kStarving = 4;  ///< hand over to those that wait, in order
  static constexpr uint32_t kWaiterShift = 3;

 private:
  std::atomic<uint32_t> state_{0};
  internal::Semaphore semaphore_;
};

/// A lock that many readers or one writer hold: Go's sync.RWMutex. A waiting writer keeps new
/// readers out, so a reader must not take it twice. Fits std::shared_lock.
class RWMutex {
 public:
  constexpr RWMutex() = default;
  RWMutex(const RWMutex&) = delete;
  RWMutex& operator=(const RWMutex&) = delete;

  /// For writing.
  void lock();
  [[nodiscard]] bool try_lock();
  void unlock();

  /// For reading: Go's RLock.
  void lock_shared() {
    // Acquire: pairs with the release in unlock.
    if (readers_.fetch_add(1, std::memory_order_acquire) < 0) [[unlikely]] {
      internal::semaphore_acquire(reader_semaphore_, internal::SyncWait::kRWMutexRead);
    }
  }

  [[nodiscard]] bool try_lock_shared();

  void unlock_shared() {
    // Acquire and release: pairs with lock, which waits for the last reader.
    int32_t before = readers_.fetch_sub(1, std::memory_order_acq_rel);
    if (before <= 0) [[unlikely]] {
      unlock_shared_slow(before);
    }
  }

 private:
  static constexpr int32_t kMaxReaders = 1 << 30;

  void unlock_shared_slow(int32_t before);

  Mutex writers_;
  internal::Semaphore writer_semaphore_;
  internal::Semaphore reader_semaphore_;
  /// Readers; less kMaxReaders while a writer holds the lock or waits for it.
  std::atomic<int32_t> readers_{0};
  /// Those that a waiting writer still waits for.
  std::atomic<int32_t> departing_{0};
};

/// Waits for a number of goroutines to finish: Go's sync.WaitGroup.
class WaitGroup {
 public:
  constexpr WaitGroup() = default;
  WaitGroup(const WaitGroup&) = delete;
  WaitGroup& operator=(const WaitGroup&) = delete;

  /// Adds to the counter; at 0 those that wait go on. Panics when it becomes negative. One that
  /// raises it from 0 must come before the `wait`.
  void add(int64_t delta) { internal::wait_group_add(state_, semaphore_, delta); }

  /// add(-1).
  void done() { add(-1); }

  /// Waits for the counter to be 0.
  void wait() { internal::wait_group_wait(state_, semaphore_); }

  /// Runs `f` as a goroutine that this group counts. The group must outlive it.
  template <class F>
  [[gnu::always_inline]] void go(F&& f) {
    add(1);
    burrow::go([this, function = std::decay_t<F>(std::forward<F>(f))]() mutable {
      std::move(function)();
      done();
    });
  }

 private:
  /// The counter in the upper half, the number of those that wait in the lower.
  std::atomic<uint64_t> state_{0};
  internal::Semaphore semaphore_;
};

/// Does something once: Go's sync.Once.
class Once {
 public:
  constexpr Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// Calls `f` if no call before has completed; when it returns, one has. Others that come
  /// meanwhile wait. As with std::call_once (and unlike Go) an exception that leaves `f` reaches
  /// the caller and does not count: the next call tries again. A call from within `f` never
  /// returns.
  template <class F>
  void call(F&& f) {
    // Acquire: pairs with the release below.
    if (!done_.load(std::memory_order_acquire)) [[unlikely]] {
      std::lock_guard<Mutex> guard(mutex_);
      if (!done_.load(std::memory_order_relaxed)) {
        std::forward<F>(f)();
        done_.store(true, std::memory_order_release);
      }
    }
  }

 private:
  std::atomic<bool> done_{false};
  Mutex mutex_;
};

/// A condition variable: Go's sync.Cond, with the lock named in each wait.
class Cond {
 public:
  constexpr Cond() = default;
  Cond(const Cond&) = delete;
  Cond& operator=(const Cond&) = delete;

  /// Unlocks, waits for a signal, and locks again. There are no spurious returns, but another may
  /// have changed the condition before the lock is taken: check it in a loop, or give it.
  template <class Lock>
  void wait(Lock& lock) {
    uint32_t ticket = internal::notify_list_add(list_);
    lock.unlock();
    internal::notify_list_wait(list_, ticket);
    lock.lock();
  }

  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate condition) {
    while (!condition()) {
      wait(lock);
    }
  }

  /// Lets the one go on that has waited longest, if any. The lock need not be held.
  void signal() { internal::notify_list_notify(list_, false); }

  /// Lets all go on that wait.
  void broadcast() { internal::notify_list_notify(list_, true); }

 private:
  internal::NotifyList list_;
};

}  // namespace burrow
