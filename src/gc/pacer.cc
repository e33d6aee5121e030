// When collections start. See pacer.h.
#include "gc/pacer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/units.h"
#include "gc/faults.h"
#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::gc {

constinit Pacer g_pacer;

namespace {

// Go's heap minimum at 100 percent.
constexpr uint64_t kLeastGoal = 4 * kMiB;
// How far the heap may get past its goal: an eighth, and a little for small heaps, whose cycles
// take about as long as a thread waits for a processor.
constexpr uint64_t kLeastOver = 4 * kMiB;

}  // namespace

void Pacer::init() {
  if (const char* text = os::env("BURROW_GC"); text != nullptr && *text != '\0') {
    std::string_view view(text);
    int percent = 100;
    auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), percent);
    if (view == "off") {
      percent = -1;
    } else if (error != std::errc() || end != view.data() + view.size() || percent < 0) {
      FixedPrinter<256> out;
      out << "burrow: BURROW_GC=" << text << " is no percentage; write for example 100, or off\n";
      out.write_to(2);
      percent = 100;
    }
    percent_.store(percent, std::memory_order_relaxed);
  }
  recompute();
}

// The memory limit is for all that the heap holds; what is not collected counts against it.
uint64_t Pacer::limited(uint64_t goal) const {
  size_t limit = heap::g_mheap.limit();
  if (limit == SIZE_MAX) {
    return goal;
  }
  heap::MHeap::Figures figures = heap::g_mheap.figures();
  uint64_t used = figures.used;
  uint64_t others = used > live() ? used - live() : 0;
  // A tenth stays for fragmentation, as the scavenger's goal is.
  uint64_t room = limit - limit / 10;
  uint64_t most = room > others ? room - others : 0;
  uint64_t least = marked() + held() + limit_room_.load(std::memory_order_relaxed);
  return std::min(goal, std::max(most, least));
}

void Pacer::note_share(int64_t cpu_ns, int64_t processors_ns) {
  uint64_t room = limit_room_.load(std::memory_order_relaxed);
  // As without a limit, at 100 percent, at most: then the collector's share is what it is then.
  uint64_t most = std::max(marked(), kLeastLimitRoom);
  room = cpu_ns > processors_ns / 2 ? std::min(room * 2, most) : room - room / 4;
  limit_room_.store(std::max(room, kLeastLimitRoom), std::memory_order_relaxed);
}

void Pacer::recompute() {
  int percent = percent_.load(std::memory_order_relaxed);
  uint64_t marked = marked_.load(std::memory_order_relaxed);
  uint64_t goal = UINT64_MAX;
  if (percent >= 0) {
    uint64_t grows = marked + roots_.load(std::memory_order_relaxed);
    goal = std::max(marked + grows * static_cast<uint64_t>(percent) / 100,
                    kLeastGoal * static_cast<uint64_t>(percent) / 100) +
           held();
  }
  goal = limited(goal);
  uint64_t trigger = goal;
  if (goal != UINT64_MAX) {
    // Early enough that marking ends before the goal: as much as was allocated during the last.
    uint64_t room = goal - std::min(goal, marked + held());
    uint64_t runway = runway_.load(std::memory_order_relaxed);
    uint64_t early = std::clamp(runway + runway / 8, room / 20, room * 3 / 10);
    trigger = goal - early;
  }
  goal_.store(goal, std::memory_order_relaxed);
  most_.store(goal == UINT64_MAX ? goal : goal + std::max(goal / 8, kLeastOver),
              std::memory_order_relaxed);
  trigger_.store(trigger, std::memory_order_relaxed);
  set_owned_goal();
}

// What garbage owns outside of the collected heap is not known. So malloc's blocks may grow as the
// heap may: by what lives of both, and by as much as the smallest heap.
void Pacer::set_owned_goal() {
  int percent = percent_.load(std::memory_order_relaxed);
  uint64_t goal = UINT64_MAX;
  if (percent >= 0 && !g_faults.no_owned_growth) {
    uint64_t grows = std::max(marked() + owned_before_.load(std::memory_order_relaxed), kLeastGoal);
    goal = owned_.load(std::memory_order_relaxed) + grows * static_cast<uint64_t>(percent) / 100;
  }
  owned_goal_.store(goal, std::memory_order_relaxed);
  owned_most_.store(goal == UINT64_MAX ? goal : goal + std::max(goal / 8, kLeastOver),
                    std::memory_order_relaxed);
  owned_trigger_.store(goal, std::memory_order_relaxed);
}

void Pacer::note_held(uint64_t bytes) {
  held_.fetch_add(bytes, std::memory_order_relaxed);
  live_.fetch_add(bytes, std::memory_order_relaxed);
}

void Pacer::note_destroyed() {
  uint64_t now = owned();
  // Not while a cycle is underway, which looks at it anew.
  if (now < owned_.load(std::memory_order_relaxed) &&
      owned_trigger_.load(std::memory_order_relaxed) != UINT64_MAX) {
    owned_.store(now, std::memory_order_relaxed);
    set_owned_goal();
  }
}

void Pacer::begin_cycle(uint64_t expected_work) {
  expected_work_.store(expected_work, std::memory_order_relaxed);
  trigger_.store(UINT64_MAX, std::memory_order_relaxed);
  owned_trigger_.store(UINT64_MAX, std::memory_order_relaxed);
  revise(0);
}

void Pacer::revise(uint64_t work_done) {
  uint64_t expected = expected_work_.load(std::memory_order_relaxed);
  uint64_t left = expected > work_done ? expected - work_done : 0;
  uint64_t now = live();
  uint64_t goal = goal_.load(std::memory_order_relaxed);
  // Past the goal: as if a twentieth of it were left.
  uint64_t room = goal == UINT64_MAX ? UINT64_MAX
                  : goal > now       ? std::max(goal - now, goal / 20)
                                     : goal / 20;
  uint64_t ratio = room == UINT64_MAX || room == 0 ? 0 : left * 1024 / room;
  assist_ratio_.store(std::min<uint64_t>(ratio, 64 * 1024), std::memory_order_relaxed);
}

// The heap grows with what a cycle has to look through, so that collecting costs a constant share
// of allocating. Stacks and globals count whole, as in Go. Go has no malloc'd blocks: whole, they
// would double a program's memory for a few collected objects; not at all, a program with a
// gigabyte of them would scan it for every 4 MB. An eighth bounds both.
uint64_t Pacer::grown_with(const CycleFigures& figures) {
  return figures.stack_bytes + figures.global_bytes + figures.manual_bytes / 8;
}

void Pacer::end_cycle(const CycleFigures& figures) {
  marked_.store(figures.marked_bytes - figures.held_bytes, std::memory_order_relaxed);
  held_.store(figures.held_bytes, std::memory_order_relaxed);
  roots_.store(grown_with(figures), std::memory_order_relaxed);
  live_.store(figures.marked_bytes, std::memory_order_relaxed);
  uint64_t now = owned();
  owned_before_.store(std::min(now, owned_.load(std::memory_order_relaxed)),
                      std::memory_order_relaxed);
  owned_.store(now, std::memory_order_relaxed);
  uint64_t grown = figures.live_at_end - std::min(figures.live_at_end, figures.live_at_start);
  runway_.store(grown, std::memory_order_relaxed);
  assist_ratio_.store(0, std::memory_order_relaxed);
  trigger_.store(UINT64_MAX, std::memory_order_relaxed);  // until `recompute`
}

int Pacer::set_percent(int percent) {
  int former = percent_.exchange(percent < 0 ? -1 : percent, std::memory_order_relaxed);
  recompute();
  return former;
}

}  // namespace burrow::gc
