// Making goroutines, and keeping those without work. See sched.h, How 4.
#include "sched/spawn.h"

#include <algorithm>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "os/fibers.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

// A processor keeps up to this many goroutines without work; half goes to all when there are more.
constexpr uint32_t kMostFree = 64;
constexpr uint64_t kIdBatch = 16;

Goroutine* take_free_of_all(GoroutineList& more) {
  MutexLock hold(g_sched.lock);
  Goroutine* g = g_sched.free_goroutines.pop();
  for (uint32_t i = 1; i < kMostFree / 2 && !g_sched.free_goroutines.empty(); ++i) {
    more.push(g_sched.free_goroutines.pop());
  }
  return g;
}

Goroutine* take_free(Processor* p) {
  if (p != nullptr && p->free != nullptr) {
    Goroutine* g = p->free;
    p->free = g->next;
    --p->free_count;
    return g;
  }
  GoroutineList more;
  Goroutine* g = take_free_of_all(more);
  while (Goroutine* other = more.pop()) {
    keep_free(p, other);
  }
  if (g == nullptr) {
    g = g_stacks.make();
  }
  if (g == nullptr) {
    fatal("cannot start another goroutine: ", g_stacks.refusal(), " (", g_stacks.used(),
          " stacks of ", g_stacks.slot_bytes(), " bytes)");
  }
  return g;
}

uint64_t new_id(Processor* p) {
  if (p == nullptr) {
    return g_sched.next_id.fetch_add(1, std::memory_order_relaxed);
  }
  if (p->next_id == p->id_limit) {
    p->next_id = g_sched.next_id.fetch_add(kIdBatch, std::memory_order_relaxed);
    p->id_limit = p->next_id + kIdBatch;
  }
  return p->next_id++;
}

void add_to_balance(Processor* p, int64_t change) {
  if (p == nullptr) {
    g_sched.balance.fetch_add(change, std::memory_order_relaxed);
  } else {
    p->balance.store(p->balance.load(std::memory_order_relaxed) + change,
                     std::memory_order_relaxed);
  }
}

Processor* processor_here() {
  Worker* w = this_worker();
  return w == nullptr ? nullptr : w->processor;
}

}  // namespace

void keep_free(Processor* p, Goroutine* g) {
  g->closure = nullptr;  // what it held is no root
  g->state.store(GoroutineState::kDead, std::memory_order_relaxed);
  if (p == nullptr) {
    MutexLock hold(g_sched.lock);
    g_sched.free_goroutines.push(g);
    return;
  }
  g->next = p->free;
  p->free = g;
  if (BURROW_LIKELY(++p->free_count <= kMostFree)) {
    return;
  }
  MutexLock hold(g_sched.lock);
  while (p->free_count > kMostFree / 2) {
    Goroutine* first = std::exchange(p->free, p->free->next);
    --p->free_count;
    g_sched.free_goroutines.push(first);
  }
}

NewGoroutine new_goroutine(size_t closure_bytes, size_t closure_align) {
  if (BURROW_UNLIKELY(!g_sched.started.load(std::memory_order_acquire)) ||
      BURROW_UNLIKELY(g_sched.forked.load(std::memory_order_relaxed))) {
    start();
  }
  Goroutine* g = take_free(processor_here());
  auto end = reinterpret_cast<uintptr_t>(g);
  uintptr_t closure =
      round_down(end - closure_bytes, uintptr_t{std::max<size_t>(closure_align, 16)});
  g->closure = reinterpret_cast<void*>(closure);
  os::unpoison_stack(g->stack_low, static_cast<size_t>(reinterpret_cast<char*>(g) - g->stack_low));
  return {g, g->closure};
}

void abandon_goroutine(Goroutine* g) {
  keep_free(processor_here(), g);
}

void start_goroutine(Goroutine* g, void (*invoke)(void*), uintptr_t creator_pc) {
  Worker* w = this_worker();
  Processor* p = w == nullptr ? nullptr : w->processor;
  g->invoke = invoke;
  g->creator_pc = creator_pc;
  g->creator_id = w == nullptr ? 0 : goroutine_id(w->current);
  g->wait_reason.store(WaitReason::kNone, std::memory_order_relaxed);
  g->id.store(new_id(p), std::memory_order_relaxed);
  os::make_fiber(g->fiber, g->stack_low,
                 static_cast<size_t>(static_cast<char*>(g->closure) - g->stack_low));
  arch::make_context(g->context, g->closure, goroutine_entry(), g);
  add_to_balance(p, 1);
  // Release: whoever looks at all goroutines sees the stack before the state.
  g->state.store(GoroutineState::kRunnable, std::memory_order_release);
  if (BURROW_LIKELY(p != nullptr)) {
    put_next(*w, g);
    return;
  }
  push_global(g);
  if (wanted_elsewhere()) {
    wake_processor();
  }
}

void end_goroutine(Processor* p, Goroutine* g) {
  add_to_balance(p, -1);
  keep_free(p, g);
}

size_t count_goroutines() {
  int64_t sum = g_sched.balance.load(std::memory_order_relaxed);
  int count = g_sched.made_count.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    sum += g_sched.processors[static_cast<size_t>(i)].balance.load(std::memory_order_relaxed);
  }
  return sum > 0 ? static_cast<size_t>(sum) : 0;
}

}  // namespace burrow::sched
