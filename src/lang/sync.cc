// Mutex, RWMutex and WaitGroup: Go's algorithms over semaphores. See lang.h, "Sync".
#include "burrow/sync.h"

#include "base/annotations.h"
#include "os/os.h"
#include "sched/park.h"
#include "sched/timer.h"

namespace burrow {
namespace internal {
namespace {

constexpr uint32_t kLocked = Mutex::kLocked;
constexpr uint32_t kWoken = Mutex::kWoken;
constexpr uint32_t kStarving = Mutex::kStarving;
constexpr uint32_t kWaiterShift = Mutex::kWaiterShift;
constexpr uint32_t kOneWaiter = 1U << kWaiterShift;
constexpr int64_t kStarvationNs = 1'000'000;

bool several_processors() {
  static const bool several = os::processor_count() > 1;
  return several;
}

void spin() {
  for (int i = 0; i < 30; ++i) {
    __builtin_ia32_pause();
  }
}

/// One that tries to lock a taken mutex.
class Locker {
 public:
  Locker(std::atomic<uint32_t>& state, Semaphore& semaphore)
      : state_(state), semaphore_(semaphore), old_(state.load(std::memory_order_relaxed)) {}

  void lock() {
    for (;;) {
      if ((old_ & (kLocked | kStarving)) == kLocked && spins_ < 4 && several_processors()) {
        spin_once();
        continue;
      }
      uint32_t expected = old_;
      // Acquire: pairs with the release in unlock.
      if (!state_.compare_exchange_strong(expected, next(), std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
        old_ = expected;
        continue;
      }
      if ((old_ & (kLocked | kStarving)) == 0 || wait()) {
        return;
      }
    }
  }

 private:
  void spin_once() {
    uint32_t expected = old_;
    // Tells unlock that one is awake, so that it wakes no other.
    if (!awake_ && (old_ & kWoken) == 0 && (old_ >> kWaiterShift) != 0 &&
        state_.compare_exchange_strong(expected, old_ | kWoken, std::memory_order_relaxed)) {
      awake_ = true;
    }
    spin();
    ++spins_;
    old_ = state_.load(std::memory_order_relaxed);
  }

  /// The state to set: locked by us, or with us waiting.
  [[nodiscard]] uint32_t next() const {
    uint32_t to = old_;
    if ((old_ & kStarving) == 0) {
      to |= kLocked;
    }
    if ((old_ & (kLocked | kStarving)) != 0) {
      to += kOneWaiter;
    }
    if (starving_ && (old_ & kLocked) != 0) {
      to |= kStarving;
    }
    return awake_ ? to & ~kWoken : to;
  }

  /// True when the mutex was handed over.
  bool wait() {
    bool again = since_ns_ != 0;
    if (!again) {
      since_ns_ = sched::now_ns();
    }
    semaphore_acquire(semaphore_, SyncWait::kMutex, again);
    starving_ = starving_ || sched::now_ns() - since_ns_ > kStarvationNs;
    old_ = state_.load(std::memory_order_relaxed);
    if ((old_ & kStarving) != 0) {
      uint32_t delta = kLocked - kOneWaiter;
      if (!starving_ || (old_ >> kWaiterShift) == 1) {
        delta -= kStarving;
      }
      // Acquire: pairs with the release in unlock.
      state_.fetch_add(delta, std::memory_order_acquire);
      return true;
    }
    awake_ = true;
    spins_ = 0;
    return false;
  }

  std::atomic<uint32_t>& state_;
  Semaphore& semaphore_;
  uint32_t old_;
  int64_t since_ns_ = 0;
  int spins_ = 0;
  bool starving_ = false;
  bool awake_ = false;
};

}  // namespace

BURROW_EXPORT void mutex_lock_slow(std::atomic<uint32_t>& state, Semaphore& semaphore) {
  Locker(state, semaphore).lock();
}

BURROW_EXPORT void mutex_unlock_slow(std::atomic<uint32_t>& state, Semaphore& semaphore,
                                     uint32_t now) {
  if (((now + kLocked) & kLocked) == 0) {
    sched::fatal_error("sync: unlock of unlocked mutex");
  }
  if ((now & kStarving) != 0) {
    semaphore_release(semaphore, 1, true);
    return;
  }
  // While the count is not 0 its owners use the mutex: it is there.
  while ((now >> kWaiterShift) != 0 && (now & (kLocked | kWoken | kStarving)) == 0) {
    if (state.compare_exchange_weak(now, (now - kOneWaiter) | kWoken, std::memory_order_relaxed)) {
      semaphore_release(semaphore);
      return;
    }
  }
}

BURROW_EXPORT void wait_group_add(std::atomic<uint64_t>& state, Semaphore& semaphore,
                                  int64_t delta) {
  // Acquire and release: what was done before each done comes before the return of wait.
  uint64_t now = state.fetch_add(static_cast<uint64_t>(delta) << 32, std::memory_order_acq_rel) +
                 (static_cast<uint64_t>(delta) << 32);
  auto counter = static_cast<int32_t>(now >> 32);
  auto waiters = static_cast<uint32_t>(now);
  if (counter < 0) {
    sched::panic("sync: negative WaitGroup counter");
  }
  if (waiters != 0 && delta > 0 && counter == static_cast<int32_t>(delta)) {
    sched::panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  }
  if (counter > 0 || waiters == 0) {
    return;
  }
  // Nobody else may touch it now but those that wait.
  state.store(0, std::memory_order_relaxed);
  semaphore_release(semaphore, waiters);
}

BURROW_EXPORT void wait_group_wait(std::atomic<uint64_t>& state, Semaphore& semaphore) {
  // Acquire: pairs with the release in wait_group_add.
  uint64_t now = state.load(std::memory_order_acquire);
  while ((now >> 32) != 0) {
    if (state.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      semaphore_acquire(semaphore, SyncWait::kWaitGroup);
      return;
    }
  }
}

BURROW_EXPORT void sync_fatal(const char* message) {
  sched::fatal_error(message);
}

}  // namespace internal

BURROW_EXPORT void RWMutex::lock() {
  writers_.lock();
  // Acquire and release: pairs with lock_shared and unlock_shared.
  int32_t before = readers_.fetch_sub(kMaxReaders, std::memory_order_acq_rel);
  if (before != 0 && departing_.fetch_add(before, std::memory_order_acq_rel) + before != 0) {
    internal::semaphore_acquire(writer_semaphore_, internal::SyncWait::kRWMutexWrite);
  }
}

BURROW_EXPORT bool RWMutex::try_lock() {
  if (!writers_.try_lock()) {
    return false;
  }
  int32_t none = 0;
  // Acquire: pairs with the release in unlock_shared.
  if (!readers_.compare_exchange_strong(none, -kMaxReaders, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
    writers_.unlock();
    return false;
  }
  return true;
}

BURROW_EXPORT void RWMutex::unlock() {
  // Release: pairs with the acquire in lock_shared.
  int32_t waiting = readers_.fetch_add(kMaxReaders, std::memory_order_acq_rel) + kMaxReaders;
  if (waiting >= kMaxReaders) {
    sched::fatal_error("sync: Unlock of unlocked RWMutex");
  }
  if (waiting > 0) {
    internal::semaphore_release(reader_semaphore_, static_cast<uint32_t>(waiting));
  }
  writers_.unlock();
}

BURROW_EXPORT bool RWMutex::try_lock_shared() {
  int32_t readers = readers_.load(std::memory_order_relaxed);
  while (readers >= 0) {
    // Acquire: pairs with the release in unlock.
    if (readers_.compare_exchange_weak(readers, readers + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

BURROW_EXPORT void RWMutex::unlock_shared_slow(int32_t before) {
  if (before == 0 || before == -kMaxReaders) {
    sched::fatal_error("sync: RUnlock of unlocked RWMutex");
  }
  // Acquire and release: pairs with lock. The last reader lets the writer in.
  if (departing_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    internal::semaphore_release(writer_semaphore_);
  }
}

}  // namespace burrow
