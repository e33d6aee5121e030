// The run queues: a processor's own, its next slot, and the global one. See sched.h, How 2.
#include <algorithm>

#include "base/annotations.h"
#include "base/check.h"
#include "sched/scheduler.h"

namespace burrow::sched {

BURROW_NO_ROOTS constinit Scheduler g_sched;

void push_half(Processor& p, Goroutine* g) {
  do {
    GoroutineList half;
    p.queue.shed_half(half);
    if (!half.empty()) {
      half.push(g);
      push_global(half);
      return;
    }
  } while (!p.queue.push(g));
}

void push_global(GoroutineList& list) {
  MutexLock hold(g_sched.lock);
  // Seq_cst: see sched.h, "No wake-up is lost".
  g_sched.global_count.fetch_add(static_cast<uint32_t>(list.count), std::memory_order_seq_cst);
  g_sched.global.append(list);
}

void push_global(Goroutine* g) {
  GoroutineList one;
  one.push(g);
  push_global(one);
}

Goroutine* take_global_locked(Processor& p) {
  size_t count = g_sched.global.count;
  if (count == 0) {
    return nullptr;
  }
  auto processors = static_cast<size_t>(g_sched.processor_count.load(std::memory_order_relaxed));
  // An equal share that fits beside what is there (others only take from there).
  size_t room = std::min<size_t>(RunQueue::kCapacity - p.queue.size(), RunQueue::kCapacity / 2);
  size_t share = std::min({count, count / processors + 1, room + 1});
  Goroutine* g = g_sched.global.pop();
  for (size_t i = 1; i < share; ++i) {
    CHECK(p.queue.push(g_sched.global.pop()));
  }
  g_sched.global_count.fetch_sub(static_cast<uint32_t>(share), std::memory_order_seq_cst);
  return g;
}

Goroutine* take_global(Processor& p) {
  // Relaxed: the look before sleeping is under the lock.
  if (g_sched.global_count.load(std::memory_order_relaxed) == 0) {
    return nullptr;
  }
  MutexLock hold(g_sched.lock);
  return take_global_locked(p);
}

}  // namespace burrow::sched
