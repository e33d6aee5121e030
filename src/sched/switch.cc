// From one goroutine to the next. See sched.h, How 1.
#include <cxxabi.h>

#include <utility>

#include "base/check.h"
#include "os/fibers.h"
#include "os/thread.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

// The next goroutine without looking beyond the processor; null when a look is due, or needed.
BURROW_ALWAYS_INLINE Goroutine* take_quickly(Processor* p) {
  if (BURROW_UNLIKELY(p == nullptr)) {
    return nullptr;
  }
  uint32_t tick = p->tick.load(std::memory_order_relaxed) + 1;
  p->tick.store(tick, std::memory_order_relaxed);
  if (BURROW_UNLIKELY(tick % kFairTick == 0) ||
      BURROW_UNLIKELY(p->retiring.load(std::memory_order_relaxed))) {
    return nullptr;
  }
  if (BURROW_UNLIKELY(tick % kTimerTick == 0) && p->timers.earliest() != kNever) {
    return nullptr;
  }
  if (BURROW_UNLIKELY(g_stress.load(std::memory_order_relaxed)) && stress_shuffle(*p)) {
    return nullptr;
  }
  return take_local(*p);
}

BURROW_ALWAYS_INLINE void mark_running(Goroutine* g) {
  // Relaxed: it is ours. Release: see walk_parked.
  g->state.store(GoroutineState::kRunning, std::memory_order_relaxed);
  g->runs.store(g->runs.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

// What see_to_left has to do less often.
BURROW_NOINLINE void see_to_left_slowly(Worker* w, Goroutine* g, AfterSwitch after) {
  if (after == AfterSwitch::kRequeue) {
    g->state.store(GoroutineState::kRunnable, std::memory_order_relaxed);
    push_global(g);
    if (wanted_elsewhere()) {
      wake_processor();
    }
  } else if (after == AfterSwitch::kPark && w->commit == nullptr) {
    auto running = GoroutineState::kRunning;
    // Release: pairs with the acquire in make_runnable. It fails when `ready` came first.
    if (!g->state.compare_exchange_strong(running, GoroutineState::kWaiting,
                                          std::memory_order_acq_rel)) {
      put_next(*w, g);
    }
  } else if (after == AfterSwitch::kPark && make_runnable(g)) {
    put_next(*w, g);  // its commit has refused
  }
}

// Sees to the goroutine that was left, now that its stack is not in use.
BURROW_ALWAYS_INLINE void see_to_left(Worker* w) {
  Goroutine* g = w->left;
  AfterSwitch after = w->after;
  if (after == AfterSwitch::kPark && BURROW_LIKELY(w->commit != nullptr)) {
    // Release: pairs with the acquire in make_runnable.
    g->state.store(GoroutineState::kWaiting, std::memory_order_release);
    if (BURROW_LIKELY(w->commit(w->commit_argument))) {
      return;
    }
  } else if (after == AfterSwitch::kYield) {
    g->state.store(GoroutineState::kRunnable, std::memory_order_relaxed);
    push_local(*w->processor, g);
    return;
  } else if (after == AfterSwitch::kExit) {
    os::end_fiber(g->fiber);
    end_goroutine(w->processor, g);
    return;
  }
  see_to_left_slowly(w, g, after);
}

// The first thing that runs on a goroutine's stack.
void goroutine_main(void* worker, void* raw) {
  auto* g = static_cast<Goroutine*>(raw);
  auto* w = static_cast<Worker*>(worker);
  os::after_switch(g->fiber);
  *w->errno_address = 0;
  see_to_left(w);
  w->current = g;
  g->invoke(g->closure);
  exit_goroutine();
}

}  // namespace

BURROW_NOINLINE void leave(Worker* w, AfterSwitch after, ParkCommit commit, void* argument) {
  Goroutine* g = w->current;
  DCHECK(g != nullptr);
  g->saved_errno = *w->errno_address;
  if (BURROW_UNLIKELY(w->exceptions->any())) {
    g->exceptions = std::exchange(*w->exceptions, {});
  }
  w->after = after;
  w->left = g;
  w->commit = commit;
  w->commit_argument = argument;
  w->current = nullptr;
  bool last = after == AfterSwitch::kExit;
  if (Goroutine* to = take_quickly(w->processor); BURROW_LIKELY(to != nullptr)) {
    mark_running(to);
    os::before_switch(g->fiber, to->fiber, last);
    w = static_cast<Worker*>(arch::switch_context(g->context, to->context, w));
  } else {
    os::before_switch(g->fiber, w->fiber, last);
    w = static_cast<Worker*>(arch::switch_context(g->context, w->context, w));
  }
  // Perhaps another thread, in any case another time.
  os::after_switch(g->fiber);
  *w->errno_address = g->saved_errno;
  if (BURROW_UNLIKELY(g->exceptions.any())) {
    *w->exceptions = std::exchange(g->exceptions, {});
  }
  see_to_left(w);
  w->current = g;
}

void exit_goroutine() {
  Worker* w = this_worker();
  leave(w, AfterSwitch::kExit, nullptr, nullptr);
  fatal("a goroutine ran after its end");
}

void worker_main(Worker& w) {
  while (true) {
    if (w.processor == nullptr) {
      sleep_worker(w);
    }
    Goroutine* g = find_runnable(w);
    if (std::exchange(w.fruitless, false) &&
        g_sched.fruitless_wakes.load(std::memory_order_relaxed) != 0) {
      g_sched.fruitless_wakes.store(0, std::memory_order_relaxed);
    }
    // Others relied on this worker's looking: if there is more, another goes on with it.
    if (stop_spinning(w) && work_anywhere() && wanted_elsewhere()) {
      wake_processor();
    }
    Processor& p = *w.processor;
    p.tick.store(p.tick.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    mark_running(g);
    w.after = AfterSwitch::kNothing;
    os::before_switch(w.fiber, g->fiber, false);
    arch::switch_context(w.context, g->context, &w);
    os::after_switch(w.fiber);
    if (BURROW_UNLIKELY(g_sched.forked.load(std::memory_order_relaxed))) {
      refuse_in_child();
    }
    see_to_left(&w);
  }
}

ExceptionGlobals* thread_exceptions() {
  return reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
}

void (*goroutine_entry())(void*, void*) {
  return goroutine_main;
}

// --- park.h -----------------------------------------------------------------------------------

Goroutine* current() {
  Worker* w = this_worker();
  return w == nullptr ? nullptr : w->current;
}

void park(WaitReason reason, ParkCommit commit, void* argument) {
  Worker* w = this_worker();
  CHECK(w != nullptr && w->current != nullptr);
  Goroutine* g = w->current;
  g->wait_reason.store(reason, std::memory_order_relaxed);
  leave(w, AfterSwitch::kPark, commit, argument);
  g->wait_reason.store(WaitReason::kNone, std::memory_order_relaxed);
}

bool make_runnable(Goroutine* g) {
  // Acquire: pairs with the release in see_to_left, so that what the goroutine saved is seen.
  GoroutineState old = g->state.exchange(GoroutineState::kRunnable, std::memory_order_acq_rel);
  if (BURROW_LIKELY(old == GoroutineState::kWaiting)) {
    return true;
  }
  // kRunning: it has not parked yet, and will see this when it does.
  if (old != GoroutineState::kHeld && old != GoroutineState::kRunning) {
    fatal("goroutine ", g->id.load(std::memory_order_relaxed),
          " made runnable that was not parked (state ", static_cast<uint32_t>(old), ")");
  }
  return false;
}

void put_next(Worker& w, Goroutine* g) {
  Processor& p = *w.processor;
  if (BURROW_UNLIKELY(g_stress.load(std::memory_order_relaxed)) && stress_draw(2)) {
    push_local(p, g);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (wanted_elsewhere()) {
      wake_processor();
    }
    return;
  }
  bool alone = false;
  Goroutine* former = exchange_next(p, g, alone);
  if (BURROW_LIKELY(alone)) {
    // Nobody could be woken. Whoever ends the solitude looks for work afterwards.
    if (former != nullptr) {
      push_local(p, former);
    }
    return;
  }
  if (former != nullptr) {
    push_local(p, former);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  if (BURROW_UNLIKELY(wanted_elsewhere())) {
    if (former != nullptr) {
      wake_processor();
    } else {
      wake_for_next(p);
    }
  }
}

void ready(Goroutine* g) {
  if (!make_runnable(g)) {
    return;
  }
  Worker* w = this_worker();
  if (BURROW_LIKELY(w != nullptr && w->processor != nullptr)) {
    put_next(*w, g);
    return;
  }
  push_global(g);
  if (wanted_elsewhere()) {
    wake_processor();
  }
}

void ready_last(Goroutine* g) {
  if (make_runnable(g)) {
    GoroutineList one;
    one.push(g);
    ready_list(one);
  }
}

void ready_list(GoroutineList& list) {
  Worker* w = this_worker();
  if (w != nullptr && w->processor != nullptr) {
    while (Goroutine* g = list.pop()) {
      push_local(*w->processor, g);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } else {
    push_global(list);
  }
  if (wanted_elsewhere()) {
    wake_processor();
  }
}

void yield_now() {
  Worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) {
    os::yield_thread();
    return;
  }
  Processor& p = *w->processor;
  if (p.queue.size() == 0 && p.next.load(std::memory_order_relaxed) == nullptr &&
      !p.retiring.load(std::memory_order_relaxed)) {
    uint32_t tick = p.tick.load(std::memory_order_relaxed) + 1;
    if (Goroutine* g = take_global(p); g != nullptr) {
      push_local(p, g);  // they were here first
    } else if (tick % kTimerTick != 0 && tick % kFairTick != 0) {
      // Alone, and it is not time yet to look further.
      p.tick.store(tick, std::memory_order_relaxed);
      return;
    }
  }
  leave(w, AfterSwitch::kYield, nullptr, nullptr);
}

uint64_t goroutine_id(const Goroutine* goroutine) {
  return goroutine == nullptr ? 0 : goroutine->id.load(std::memory_order_relaxed);
}

}  // namespace burrow::sched
