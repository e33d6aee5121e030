// Starting and stopping timers. See timer.h and timer_heap.h.
#include "sched/timer.h"

#include "base/check.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

struct Sleep {
  Timer timer;
  int64_t until_ns = 0;
};

void wake_sleeper(void* raw) {
  ready(static_cast<Goroutine*>(raw));
}

bool begin_sleep(void* raw) {
  auto* sleep = static_cast<Sleep*>(raw);
  timer_start(sleep->timer, sleep->until_ns);
  return true;
}

}  // namespace

int64_t now_ns() {
  return os::monotonic_ns();
}

int64_t deadline_after(int64_t duration_ns) {
  int64_t now = now_ns();
  return duration_ns > kNever - now ? kNever : now + duration_ns;
}

void timer_start(Timer& timer, int64_t when_ns, int64_t period_ns) {
  CHECK(timer.callback != nullptr);
  start();
  Worker* w = this_worker();
  // A plain thread's go to the first processor: whoever has nothing to do watches them all.
  Processor& p = w != nullptr && w->processor != nullptr ? *w->processor : g_sched.processors[0];
  timer.heap = &p.timers;
  if (p.timers.add(timer, when_ns, period_ns)) {
    wake_for_timer(when_ns);
  }
}

bool timer_stop(Timer& timer) {
  return timer.heap != nullptr && timer.heap->remove(timer);
}

bool timer_reset(Timer& timer, int64_t when_ns, int64_t period_ns) {
  bool was_started = timer_stop(timer);
  timer_start(timer, when_ns, period_ns);
  return was_started;
}

void sleep_ns(int64_t duration_ns) {
  Goroutine* g = current();
  if (g == nullptr) {
    os::sleep_ns(duration_ns);
    return;
  }
  if (duration_ns <= 0) {
    yield_now();
    return;
  }
  Sleep sleep;
  sleep.timer.callback = wake_sleeper;
  sleep.timer.argument = g;
  sleep.until_ns = deadline_after(duration_ns);
  park(WaitReason::kSleep, begin_sleep, &sleep);
}

}  // namespace burrow::sched
