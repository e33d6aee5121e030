// The first goroutine. See run.h.
#include "sched/run.h"

#include <new>

#include "sched/scheduler.h"
#include "sched/spawn.h"
#include "sched/start.h"
#include "sched/waiter.h"

namespace burrow::sched {
namespace {

struct Run {
  void (*main)(void*);
  void* argument;
  Waiter caller;
  NewGoroutine made;
};

struct RunClosure {
  Run* run;
};

void run_main(void* raw) {
  Run* run = static_cast<RunClosure*>(raw)->run;
  run->main(run->argument);
  if (g_sched.forked.load(std::memory_order_relaxed)) {
    refuse_in_child();  // the caller of `run` is not there
  }
  end_run();
  run->caller.wake();
}

// Started by the commit, when the caller counts as waiting: a deadlock may come at once.
bool start_main(void* raw) {
  auto* run = static_cast<Run*>(raw);
  start_goroutine(run->made.goroutine, run_main, 0);
  return true;
}

}  // namespace

void run_and_wait(void (*main)(void*), void* argument) {
  if (current() != nullptr) {
    main(argument);
    return;
  }
  begin_run();
  Run run{main, argument, {}, new_goroutine(sizeof(RunClosure), alignof(RunClosure))};
  new (run.made.closure) RunClosure{&run};
  run.caller.wait(WaitReason::kNone, start_main, &run);
}

}  // namespace burrow::sched
