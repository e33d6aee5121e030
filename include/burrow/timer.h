// Times as channels: Go's time.After, time.Timer, time.AfterFunc, time.Ticker.
//
// The times are on std::chrono::steady_clock. Close none of these channels.
#pragma once

#include <burrow/internal/cxx20.h>

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "burrow/chan.h"
#include "burrow/internal/spawn.h"
#include "burrow/internal/sync.h"

namespace burrow {

/// What timers send: when they fired.
using TimePoint = std::chrono::steady_clock::time_point;

namespace internal {

/// A reference to the channel of its own.
[[nodiscard]] inline ChanCore* share(const Chan<TimePoint>& chan) {
  chan_ref(chan.core());
  return chan.core();
}

}  // namespace internal

/// A channel that gets the time once, after the duration. In a `select` prefer the case of this
/// name, which needs no channel.
template <class Rep, class Period>
[[nodiscard]] Chan<TimePoint> after(std::chrono::duration<Rep, Period> duration) {
  Chan<TimePoint> chan(1);
  internal::timer_fire_once(internal::share(chan), internal::to_ns(duration));
  return chan;
}

/// Fires once, after a duration: Go 1.23's time.Timer. Destroying it stops it.
class Timer {
 public:
  /// Sends the time to `chan` after the duration.
  template <class Rep, class Period>
  explicit Timer(std::chrono::duration<Rep, Period> duration)
      : chan_(1),
        core_(
            internal::timer_make({.chan = internal::share(chan_)}, internal::to_ns(duration), 0)) {}

  Timer(Timer&& other) noexcept
      : chan_(std::move(other.chan_)), core_(std::exchange(other.core_, nullptr)) {}

  Timer& operator=(Timer other) noexcept {
    std::swap(chan_, other.chan_);
    std::swap(core_, other.core_);
    return *this;
  }

  ~Timer() {
    if (core_ != nullptr) {
      internal::timer_free(core_);
    }
  }

  /// Go's C; nil for one of after_func. Copy it to keep it longer than the timer.
  [[nodiscard]] const Chan<TimePoint>& chan() const noexcept { return chan_; }

  /// Keeps it from firing. True when it does: it was running, or what it sent was not received yet
  /// and is now taken back. After it no old time comes through the channel.
  bool stop() { return internal::timer_core_stop(core_); }

  /// Makes it fire after the duration from now. The result is as of stop.
  template <class Rep, class Period>
  bool reset(std::chrono::duration<Rep, Period> duration) {
    return internal::timer_core_reset(core_, internal::to_ns(duration), 0);
  }

 private:
  explicit Timer(internal::TimerCore* core) : chan_(nullptr), core_(core) {}

  template <class Rep, class Period, class F>
  friend Timer after_func(std::chrono::duration<Rep, Period> duration, F&& f);

  Chan<TimePoint> chan_;
  internal::TimerCore* core_;
};

/// Runs a copy of `f` in its own goroutine after the duration, unless the timer is stopped or
/// destroyed before.
template <class Rep, class Period, class F>
[[nodiscard]] Timer after_func(std::chrono::duration<Rep, Period> duration, F&& f) {
  using Function = std::decay_t<F>;
  return Timer(internal::timer_make(
      {.launch = [](void* context) { burrow::go(Function(*static_cast<Function*>(context))); },
       .destroy = [](void* context) noexcept { delete static_cast<Function*>(context); },
       .context = new Function(std::forward<F>(f))},
      internal::to_ns(duration), 0));
}

/// Sends the time again and again: Go's time.Ticker. Ticks that nobody has received when the next
/// comes are left out. Destroying it stops it; the channel stays open.
class Ticker {
 public:
  /// REQUIRES: the period is positive (else it panics).
  template <class Rep, class Period>
  explicit Ticker(std::chrono::duration<Rep, Period> period)
      : chan_(1),
        core_(internal::timer_make({.chan = internal::share(chan_)}, internal::to_ns(period),
                                   check(internal::to_ns(period)))) {}

  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  ~Ticker() { internal::timer_free(core_); }

  /// Go's C.
  [[nodiscard]] const Chan<TimePoint>& chan() const noexcept { return chan_; }

  /// No tick comes after it.
  void stop() { (void)internal::timer_core_stop(core_); }

  /// Goes on with this period, counted from now.
  template <class Rep, class Period>
  void reset(std::chrono::duration<Rep, Period> period) {
    int64_t ns = check(internal::to_ns(period));
    (void)internal::timer_core_reset(core_, ns, ns);
  }

 private:
  static int64_t check(int64_t period_ns) {
    if (period_ns <= 0) {
      internal::ticker_panic();
    }
    return period_ns;
  }

  Chan<TimePoint> chan_;
  internal::TimerCore* core_;
};

}  // namespace burrow
