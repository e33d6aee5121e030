// The timers of one processor. See timer.h for what users see, sched.h for who runs them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/mutex.h"
#include "sched/timer.h"

namespace burrow::sched {

/// A 4-ary heap by time. Any thread may add and remove; one thread at a time runs what is due,
/// the owner of the processor or another that finds it late. It is never freed.
class TimerHeap {
 public:
  /// True when the timer is now the first to come.
  bool add(Timer& timer, int64_t when_ns, int64_t period_ns) BURROW_EXCLUDES(lock_);

  /// As timer_stop.
  bool remove(Timer& timer) BURROW_EXCLUDES(lock_);

  /// Runs what is due at `now`, unless another thread is at it; the number run.
  size_t run(int64_t now) BURROW_EXCLUDES(lock_);

  /// When the first one is due; kNever.
  [[nodiscard]] int64_t earliest() const {
    // Seq_cst: see sched.h, "No wake-up is lost".
    return earliest_.load(std::memory_order_seq_cst);
  }

  /// Ends the program when the order is broken.
  void verify() BURROW_EXCLUDES(lock_);

 private:
  friend struct TimerTestPeer;

  struct Entry {
    int64_t when_ns;
    Timer* timer;
  };

  void insert(Timer& timer) BURROW_REQUIRES(lock_);
  void take_out(size_t index) BURROW_REQUIRES(lock_);
  void sift_up(size_t index, Entry entry) BURROW_REQUIRES(lock_);
  void sift_down(size_t index, Entry entry) BURROW_REQUIRES(lock_);
  void place(size_t index, Entry entry) BURROW_REQUIRES(lock_);
  void grow() BURROW_REQUIRES(lock_);
  void publish() BURROW_REQUIRES(lock_);

  Mutex lock_{LockRank::kSchedTimers};
  Entry* entries_ BURROW_GUARDED_BY(lock_) = nullptr;
  size_t count_ BURROW_GUARDED_BY(lock_) = 0;
  size_t capacity_ BURROW_GUARDED_BY(lock_) = 0;
  bool busy_ BURROW_GUARDED_BY(lock_) = false;  // a thread is in run
  std::atomic<int64_t> earliest_{kNever};
  // The timer whose callback runs, and the thread that runs it. Written under the lock.
  std::atomic<Timer*> running_{nullptr};
  std::atomic<uint32_t> runner_{0};
};

}  // namespace burrow::sched
