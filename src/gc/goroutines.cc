// Goroutines' stacks as roots. See goroutines.h.
#include "gc/goroutines.h"

#include <algorithm>
#include <cstring>

#include "base/annotations.h"
#include "base/check.h"
#include "gc/faults.h"
#include "gc/roots.h"
#include "gc/thread_roots.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/stack.h"
#include "sched/worker.h"

namespace burrow::gc {
namespace {

using sched::Goroutine;
using sched::GoroutineState;

// Goroutines that a stopped thread is on, sorted. Written by the stop's owner before it starts the
// markers, who read it.
constinit const Goroutine** g_running = nullptr;
constinit size_t g_running_count = 0;
constinit size_t g_running_capacity = 0;

bool is_noted(const Goroutine& g) {
  return std::binary_search(g_running, g_running + g_running_count, &g);
}

Address end_of(const Goroutine& g) {
  return reinterpret_cast<Address>(&g) + sizeof(g);
}

// What is in use of a stack that does not run. Beside the program the words may be changing, and a
// look may be wrong.
BURROW_NO_TSAN Address start_of(const Goroutine& g) {
  bool dead = g.state.load(std::memory_order_relaxed) == GoroutineState::kDead;
  // One that is being made has its arguments already.
  const void* from = dead ? g.closure : g.context.sp;
  return reinterpret_cast<Address>(from);
}

// One that parked on a stack of the program's own, a coroutine's: how deep it left its own is not
// known.
void visit_two_stacks(const Goroutine& g, Address sp, const RangeVisitor& visit) {
  if (g_faults.own_stack_only) {
    return;
  }
  visit_present(visit, reinterpret_cast<Address>(g.stack_low), end_of(g));
  if (g.state.load(std::memory_order_relaxed) != GoroutineState::kRunning) {
    visit_present(visit, sp, end_of_stack(sp));
  }
}

void visit_stack(const Goroutine& g, const RangeVisitor& visit) {
  Address start = start_of(g);
  if (start == 0) {  // it has never run
    return;
  }
  if (g.on_stack(reinterpret_cast<const void*>(start))) {
    visit(start, end_of(g));
    return;
  }
  visit_two_stacks(g, start, visit);
}

void reserve_running(size_t count) {
  if (count <= g_running_capacity) {
    return;
  }
  size_t capacity = std::max(count, 2 * g_running_capacity + 512);
  void* memory = os::map_memory(capacity * sizeof(Goroutine*));
  if (memory == nullptr) {
    fatal("out of memory for the collector's list of goroutines");
  }
  if (g_running != nullptr) {
    os::unmap_memory(g_running, g_running_capacity * sizeof(Goroutine*));
  }
  g_running = static_cast<const Goroutine**>(memory);
  g_running_capacity = capacity;
}

}  // namespace

void add_goroutines(RootJobs& jobs) {
  jobs.add_slots(sched::g_stacks.used());
}

void for_each_goroutine_range(size_t first, size_t last,
                              void (*visit)(void* argument, Address, Address), void* argument) {
  sched::g_stacks.for_each_of(first, last, [&](const Goroutine& g) {
    if (!is_noted(g)) {
      visit_stack(g, {visit, argument});
    }
  });
}

void note_running(std::span<const os::StoppedThread> stopped) {
  reserve_running(stopped.size());
  g_running_count = 0;
  for (const os::StoppedThread& thread : stopped) {
    sched::StackArea::Bounds bounds;
    if (sched::g_stacks.find(thread.sp, bounds)) {
      g_running[g_running_count++] = bounds.goroutine;
    }
  }
  std::sort(g_running, g_running + g_running_count);
}

void forget_running() {
  g_running_count = 0;
}

void note_stacks(os::StoppedThread& thread) {
  const sched::Worker* w = sched::worker_of(thread.thread_pointer);
  if (w == nullptr) {
    return;
  }
  sched::StackArea::Bounds bounds;
  if (sched::g_stacks.find(thread.sp, bounds)) {
    // A slot goes on behind its goroutine, with pages that were never touched.
    thread.stack_limit = end_of(*bounds.goroutine);
    thread.other_start = reinterpret_cast<Address>(w->context.sp);
    if (thread.below_too) {
      thread.other_start = reinterpret_cast<Address>(bounds.low);
      thread.other_limit = thread.stack_limit;
    }
    return;
  }
  if (const Goroutine* g = w->here(); g != nullptr) {
    // A handler on a stack of its own has interrupted the goroutine; or the switch to it is on its
    // way, and then this is more than need be.
    thread.other_start = reinterpret_cast<Address>(g->stack_low);
    thread.other_limit = end_of(*g);
  }
}

}  // namespace burrow::gc
