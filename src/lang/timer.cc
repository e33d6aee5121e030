// Timers that send the time, or start a goroutine. See lang.h, "Timers".
#include "burrow/timer.h"

#include "base/annotations.h"
#include "burrow/sync.h"
#include "sched/park.h"
#include "sched/timer.h"

namespace burrow::internal {
namespace {

/// Sends without waiting: when the last time is still there, this one is left out.
void send_time(ChanCore* chan) {
  TimePoint now = std::chrono::steady_clock::now();
  (void)chan_try_send(chan, &now);
}

struct OneShot {
  sched::Timer timer;
  ChanCore* chan;

  static void fire(void* argument) {
    auto* self = static_cast<OneShot*>(argument);
    send_time(self->chan);
    chan_unref(self->chan);
    delete self;
  }
};

}  // namespace

class TimerCore {
 public:
  explicit TimerCore(const TimerAction& action) : action_(action) {
    timer_.callback = &fire;
    timer_.argument = this;
  }

  TimerCore(const TimerCore&) = delete;
  TimerCore& operator=(const TimerCore&) = delete;

  ~TimerCore() {
    (void)sched::timer_stop(timer_);
    if (action_.chan != nullptr) {
      chan_unref(action_.chan);
    }
    if (action_.destroy != nullptr) {
      action_.destroy(action_.context);
    }
  }

  void start(int64_t delay_ns, int64_t period_ns) {
    sched::timer_start(timer_, sched::deadline_after(delay_ns), period_ns);
  }

  bool stop() {
    std::lock_guard<Mutex> guard(mutex_);
    return stop_locked();
  }

  bool reset(int64_t delay_ns, int64_t period_ns) {
    std::lock_guard<Mutex> guard(mutex_);
    bool stopped = stop_locked();
    start(delay_ns, period_ns);
    return stopped;
  }

 private:
  /// When timer_stop returns the callback is over: what it sent is in the channel, or received.
  bool stop_locked() {
    bool stopped = sched::timer_stop(timer_);
    TimePoint old;
    return (action_.chan != nullptr && chan_try_recv(action_.chan, &old)) || stopped;
  }

  static void fire(void* argument) {
    auto* self = static_cast<TimerCore*>(argument);
    if (self->action_.chan != nullptr) {
      send_time(self->action_.chan);
    } else {
      self->action_.launch(self->action_.context);
    }
  }

  /// Stops and resets come one at a time.
  Mutex mutex_;
  sched::Timer timer_;
  TimerAction action_;
};

BURROW_EXPORT TimerCore* timer_make(const TimerAction& action, int64_t delay_ns,
                                    int64_t period_ns) {
  auto* core = new TimerCore(action);
  core->start(delay_ns, period_ns);
  return core;
}

BURROW_EXPORT void timer_free(TimerCore* timer) noexcept {
  delete timer;
}

BURROW_EXPORT bool timer_core_stop(TimerCore* timer) {
  return timer->stop();
}

BURROW_EXPORT bool timer_core_reset(TimerCore* timer, int64_t delay_ns, int64_t period_ns) {
  return timer->reset(delay_ns, period_ns);
}

BURROW_EXPORT void timer_fire_once(ChanCore* chan, int64_t delay_ns) {
  auto* shot = new OneShot{{}, chan};
  shot->timer.callback = &OneShot::fire;
  shot->timer.argument = shot;
  sched::timer_start(shot->timer, sched::deadline_after(delay_ns));
}

BURROW_EXPORT void ticker_panic() {
  sched::panic("non-positive interval for NewTicker");
}

}  // namespace burrow::internal
