// What stacks take. See usage.h.
#include "sched/usage.h"

#include <algorithm>

#include "arch/arch.h"
#include "base/bits.h"
#include "os/os.h"
#include "os/stack_memory.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

// What leaf functions may use below the stack pointer. One that does not run uses none of it.
constexpr size_t kRedZone = 128;

char* upper_end(const Goroutine& g) {
  return reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(&g + 1), os::kOsPageSize));
}

// 0 on a stack that the program made: how deep it left its own is not known.
size_t depth_of(const Goroutine& g, const void* sp) {
  if (!g.on_stack(sp)) {
    return 0;
  }
  return static_cast<size_t>(reinterpret_cast<const char*>(&g) - static_cast<const char*>(sp));
}

// Gives back what lies below the stack pointer of one that is kHeld, and lets it go.
size_t trim_held(Goroutine& g) {
  size_t bytes = 0;
  auto sp = reinterpret_cast<uintptr_t>(g.context.sp) - kRedZone;
  auto* end = reinterpret_cast<char*>(round_down(sp, uintptr_t{os::kOsPageSize}));
  // One that parked on a stack of the program's own has frames here, of unknown depth.
  if (g.on_stack(g.context.sp) && end > g.stack_low) {
    size_t there = StackArea::pages_of(g.stack_low, end).bytes;
    if (there > 0 && os::release(g.stack_low, static_cast<size_t>(end - g.stack_low))) {
      bytes = there;
    }
  }
  // Release: pairs with the acquire in make_runnable.
  GoroutineState state = GoroutineState::kHeld;
  if (!g.state.compare_exchange_strong(state, GoroutineState::kWaiting,
                                       std::memory_order_acq_rel)) {
    // Somebody made it runnable meanwhile and left the rest to us.
    GoroutineList one;
    one.push(&g);
    ready_list(one);
  }
  return bytes;
}

// Trims `g` if it is parked.
size_t trim_parked(Goroutine& g) {
  GoroutineState state = GoroutineState::kWaiting;
  // Acquire: pairs with the release in see_to_left, so that the stack pointer is seen.
  if (g.state.load(std::memory_order_relaxed) == state &&
      g.state.compare_exchange_strong(state, GoroutineState::kHeld, std::memory_order_acquire)) {
    return trim_held(g);
  }
  return 0;
}

// True when `g` is parked since the last call, and has not been trimmed since.
bool sits(Goroutine& g) {
  if (g.state.load(std::memory_order_relaxed) != GoroutineState::kWaiting) {
    return false;
  }
  // Relaxed, here and below: what is too old or too new costs a trim more or less.
  uint32_t runs = g.runs.load(std::memory_order_relaxed);
  if (g.trimmed.load(std::memory_order_relaxed) == runs) {
    return false;
  }
  bool sat = g.seen_parked.load(std::memory_order_relaxed) == runs;
  (sat ? g.trimmed : g.seen_parked).store(runs, std::memory_order_relaxed);
  return sat;
}

}  // namespace

StackUsage usage_of_all() {
  StackUsage total;
  g_stacks.for_each_slot([&](const Goroutine& g, const char* low) {
    total.reserved += g_stacks.slot_bytes();
    StackArea::Pages pages = StackArea::pages_of(low, upper_end(g));
    total.committed += pages.bytes;
    total.high_water = std::max(total.high_water, pages.depth);
    // Acquire: pairs with the release in see_to_left.
    GoroutineState state =
        pages.bytes == 0 ? GoroutineState::kDead : g.state.load(std::memory_order_acquire);
    total.live += state != GoroutineState::kDead ? pages.bytes : 0;
    if (state == GoroutineState::kWaiting || state == GoroutineState::kRunnable) {
      total.in_use += depth_of(g, g.context.sp);
    }
  });
  if (Goroutine* g = current(); g != nullptr) {
    total.in_use += depth_of(*g, __builtin_frame_address(0));
  }
  return total;
}

StackUsage usage_here() {
  Goroutine* g = current();
  if (g == nullptr) {
    return {};
  }
  StackArea::Pages pages = StackArea::pages_of(g->stack_low, upper_end(*g));
  return {.reserved = g_stacks.slot_bytes(),
          .committed = pages.bytes,
          .live = pages.bytes,
          .in_use = depth_of(*g, __builtin_frame_address(0)),
          .high_water = pages.depth};
}

size_t trim_stacks() {
  if (g_sched.forked.load(std::memory_order_relaxed)) {
    return 0;  // copies of the parent's, which nobody will run; their holders may be gone
  }
  size_t bytes = 0;
  g_stacks.for_each([&](Goroutine& g) { bytes += trim_parked(g); });
  GoroutineList free;
  {
    MutexLock hold(g_sched.lock);
    free.append(g_sched.free_goroutines);
  }
  return bytes + g_stacks.recycle(free);
}

size_t trim_idle_stacks() {
  if (g_sched.forked.load(std::memory_order_relaxed)) {
    return 0;
  }
  size_t bytes = 0;
  g_stacks.for_each([&](Goroutine& g) { bytes += sits(g) ? trim_parked(g) : 0; });
  return bytes;
}

}  // namespace burrow::sched
