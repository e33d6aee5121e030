// What MemStats and the debug server show of the collected heap. See figures.h.
#include "gc/figures.h"

#include <algorithm>
#include <array>

#include "gc/cache.h"
#include "gc/central.h"
#include "gc/collector.h"
#include "gc/gc.h"
#include "gc/large.h"
#include "gc/pacer.h"
#include "gc/tables.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

void add_collected_classes(heap::HeapStats& to) {
  std::array<uint64_t, internal::kObjectClasses> unused{};
  count_unused_blocks(unused);
  for (size_t c = 1; c < heap::kNumClasses; ++c) {
    heap::BySize& line = to.by_size[c - 1];
    uint64_t taken = 0;
    for (size_t kind = 0; kind < internal::kObjectKinds; ++kind) {
      BusyScope busy;
      auto figures = central_of(static_cast<internal::ObjectKind>(kind), SizeClass(c)).figures();
      taken += figures.taken;
      line.frees += figures.freed;
    }
    line.mallocs += taken - std::min(taken, unused[c]);
  }
}

// Objects live that the last cycle marked, and all that were allocated since.
void add_collected_objects(heap::HeapStats& to, const CycleStats& cycle) {
  AllocationFigures small = allocation_figures();
  LargeFigures large = large_figures();
  uint64_t objects = small.objects + large.total_objects;
  uint64_t bytes = small.bytes + large.total_bytes;
  // A cycle may have ended since its figures were read.
  uint64_t live_objects = cycle.marked_objects + objects - std::min(objects, cycle.total_objects);
  uint64_t live_bytes = cycle.figures.marked_bytes + bytes - std::min(bytes, cycle.total_bytes);
  to.mallocs += objects;
  to.frees += objects - std::min(objects, live_objects);
  to.total_alloc += bytes;
  to.heap_objects += live_objects;
  to.heap_alloc += live_bytes;
}

void add_cycles(heap::HeapStats& to, const CycleStats& cycle) {
  to.next_gc = g_pacer.goal();
  to.last_gc = static_cast<uint64_t>(cycle.last_end_ns);
  to.pause_total_ns = static_cast<uint64_t>(cycle.pause_total_ns);
  for (size_t i = 0; i < to.pause_ns.size(); ++i) {
    to.pause_ns[i] = static_cast<uint64_t>(cycle.pauses_ns[i]);
    to.pause_end_ns[i] = static_cast<uint64_t>(cycle.pause_ends_ns[i]);
  }
  to.num_gc = cycle.cycles;
  to.num_forced_gc = cycle.forced;
  to.gc_cpu_fraction = cpu_fraction(cycle);
  to.enable_gc = g_pacer.percent() >= 0;
}

}  // namespace

double cpu_fraction(const CycleStats& stats) {
  int64_t since = os::monotonic_ns() - start_time_ns();
  double available = static_cast<double>(since) * std::max(1, os::processor_count());
  return std::min(1.0, static_cast<double>(stats.cpu_ns) / std::max(available, 1.0));
}

void add_figures(heap::HeapStats& to) {
  to.gc_sys = tables_bytes();
  to.sys += to.gc_sys;
  CycleStats cycle = g_collector.stats();
  add_collected_objects(to, cycle);
  add_collected_classes(to);
  add_cycles(to, cycle);
}

}  // namespace burrow::gc
