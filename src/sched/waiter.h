// One thing that waits, be it a goroutine or a plain thread. See sched.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/park.h"

namespace burrow::sched {

/// Whoever constructs it can wait with it, again and again; anybody else wakes it. Lives on the
/// stack of the one that waits; queues keep pointers to it, under their own locks.
class Waiter {
 public:
  /// For the calling goroutine or plain thread.
  Waiter() : goroutine_(current()) {}

  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Waits for `wake`. A goroutine parks; a plain thread calls `commit` itself and sleeps. A
  /// commit that returns false ends the wait at once, without a `wake`.
  void wait(WaitReason reason, ParkCommit commit, void* argument);

  /// Ends the wait. REQUIRES: called once for each wait whose commit has run or is about to, by
  /// one who got the waiter out of a queue that `commit` unlocks. The waiter may be gone when this
  /// returns.
  void wake();

  /// As `wake`, for waking many at once: they go to the end of the run queue.
  void wake_last();

  /// Null for a plain thread.
  [[nodiscard]] Goroutine* goroutine() const { return goroutine_; }

 private:
  void wake_thread();

  Goroutine* goroutine_;
  std::atomic<uint32_t> woken_{0};  // plain threads sleep on it
};

}  // namespace burrow::sched
