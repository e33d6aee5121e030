// Goroutines' stacks as roots. See goroutines.h.
#include "gc/goroutines.h"

#include "sched/stack.h"

namespace burrow::gc {
namespace {

// A thread that was stopped within a switch has left a goroutine that is still called running: what
// counts is whose stack it is on.
bool runs_on(const sched::Goroutine& g, std::span<const os::StoppedThread> stopped) {
  auto low = reinterpret_cast<Address>(g.stack_low);
  auto high = reinterpret_cast<Address>(&g);
  for (const os::StoppedThread& thread : stopped) {
    if (thread.sp >= low && thread.sp < high) {
      return true;
    }
  }
  return false;
}

void add_goroutine(RootJobs& jobs, const sched::Goroutine& g) {
  Address from = reinterpret_cast<Address>(g.context.sp);
  // Relaxed: with the world stopped nobody changes it; before, a first look may be wrong.
  if (g.state.load(std::memory_order_relaxed) == sched::GoroutineState::kDead) {
    // One that is being made has its arguments already.
    from = reinterpret_cast<Address>(g.closure);
  }
  auto end = reinterpret_cast<Address>(&g) + sizeof(g);
  if (from >= reinterpret_cast<Address>(g.stack_low) && from < end) {
    jobs.add(RootJob::Kind::kWords, from, end);
  }
}

}  // namespace

void add_goroutines(RootJobs& jobs, std::span<const os::StoppedThread> stopped) {
  sched::g_stacks.for_each([&](const sched::Goroutine& g) {
    if (!runs_on(g, stopped)) {
      add_goroutine(jobs, g);
    }
  });
}

}  // namespace burrow::gc
