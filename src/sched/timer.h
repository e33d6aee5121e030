// Timers: a callback at a time. See sched.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::sched {

/// A time that never comes.
inline constexpr int64_t kNever = INT64_MAX;

inline constexpr size_t kNotInHeap = SIZE_MAX;

class TimerHeap;

/// A callback to run at a time. Lives where its user keeps it (in a frame, in a channel's block)
/// and must stay there while it is started; the scheduler allocates nothing for it.
///
/// The callback runs on a worker, on no goroutine, outside all locks of the scheduler. It must not
/// block or throw: it wakes somebody, sends without waiting, or starts a goroutine. The timer may
/// be started again or be gone once its callback has begun, but see `timer_stop`.
struct Timer {
  void (*callback)(void* argument) = nullptr;
  void* argument = nullptr;
  int64_t when_ns = 0;    ///< on the monotonic clock; written by timer_start only
  int64_t period_ns = 0;  ///< more than 0: goes on in steps of this, leaving out those missed

  // The scheduler's.
  TimerHeap* heap = nullptr;  ///< the one that it is or was in
  size_t index = kNotInHeap;  ///< its place there, under the heap's lock
};

/// Nanoseconds on the clock of timers.
[[nodiscard]] int64_t now_ns();

/// `now_ns` and a duration, without overflow.
[[nodiscard]] int64_t deadline_after(int64_t duration_ns);

/// Starts a timer that is not started. Any thread. One in the past fires at once, on a worker.
/// REQUIRES: `callback` is set; calls for one timer are not concurrent with each other.
void timer_start(Timer& timer, int64_t when_ns, int64_t period_ns = 0);

/// Takes a timer back. True: it was started and its callback will not run (again). False: it was
/// not started, or its callback has begun. When this returns the callback is not running any more
/// (the wait is short, as callbacks do not block) and nothing of the timer is in use, except when
/// called from the callback itself.
bool timer_stop(Timer& timer);

/// timer_stop and timer_start in one; the result is timer_stop's.
bool timer_reset(Timer& timer, int64_t when_ns, int64_t period_ns = 0);

/// Parks the calling goroutine, or lets the plain thread sleep, for a time.
void sleep_ns(int64_t duration_ns);

}  // namespace burrow::sched
