// Calls that block the thread. See blocking.h.
#include "sched/blocking.h"

#include "heap/processor_cache.h"
#include "sched/scheduler.h"

namespace burrow::sched {

bool enter_blocking() {
  Worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) {
    return false;
  }
  Goroutine* g = w->current;
  Processor* p = w->processor;
  g->state.store(GoroutineState::kBlocking, std::memory_order_relaxed);
  w->blocked = g;
  w->lent = p;
  w->current = nullptr;
  unbind(*w);
  // Release: pairs with the acquires of takers. Seq_cst: see sched.h, "No wake-up is lost".
  g_sched.lent.fetch_add(1, std::memory_order_seq_cst);
  p->state.store(ProcessorState::kBlocking, std::memory_order_seq_cst);
  // What waits at the processor, or for one, need not wait for the monitor.
  if ((p->has_work() || g_sched.global_count.load(std::memory_order_seq_cst) != 0) &&
      !g_sched.forked.load(std::memory_order_relaxed)) {
    ProcessorState lent = ProcessorState::kBlocking;
    if (p->state.compare_exchange_strong(lent, ProcessorState::kIdle, std::memory_order_acq_rel)) {
      g_sched.lent.fetch_sub(1, std::memory_order_seq_cst);
      hand_on(p);
    }
  }
  return true;
}

void exit_blocking() {
  Worker* w = this_worker();
  Goroutine* g = w->blocked;
  Processor* p = w->lent;
  w->blocked = nullptr;
  w->lent = nullptr;
  ProcessorState lent = ProcessorState::kBlocking;
  if (p->state.compare_exchange_strong(lent, ProcessorState::kRunning, std::memory_order_acq_rel)) {
    g_sched.lent.fetch_sub(1, std::memory_order_seq_cst);
  } else if (g_sched.forked.load(std::memory_order_relaxed)) {
    p = nullptr;  // who took it is gone: refused below
  } else {
    MutexLock hold(g_sched.lock);
    p = take_idle();
  }
  w->current = g;
  if (p != nullptr) {
    bind(*w, p);
    g->state.store(GoroutineState::kRunning, std::memory_order_relaxed);
    return;
  }
  leave(w, AfterSwitch::kRequeue, nullptr, nullptr);
}

}  // namespace burrow::sched
