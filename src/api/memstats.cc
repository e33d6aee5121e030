// include/burrow/memstats.h over both heaps. See api.h.
#include "burrow/memstats.h"

#include <algorithm>

#include "base/annotations.h"
#include "burrow/heap.h"
#include "debug/figures.h"
#include "gc/gc.h"
#include "gc/pacer.h"
#include "heap/stats.h"

namespace burrow {
namespace {

void fill_cycles(MemStats& to, const heap::HeapStats& from) {
  gc::Pacer& pacer = gc::g_pacer;
  to.gc_sys = from.gc_sys;
  to.next_gc = gc::started() ? from.next_gc : pacer.goal();
  to.last_gc = from.last_gc;
  to.pause_total_ns = from.pause_total_ns;
  to.pause_ns = from.pause_ns;
  to.pause_end_ns = from.pause_end_ns;
  to.num_gc = from.num_gc;
  to.num_forced_gc = from.num_forced_gc;
  to.gc_cpu_fraction = from.gc_cpu_fraction;
  to.enable_gc = from.enable_gc;
}

void fill_heap(MemStats& to, const heap::HeapStats& from) {
  to.total_alloc = from.total_alloc;
  to.mallocs = from.mallocs;
  to.frees = from.frees;
  to.heap_alloc = from.heap_alloc;
  to.heap_objects = from.heap_objects;
  to.heap_sys = from.heap_sys;
  to.heap_idle = from.heap_idle;
  to.heap_inuse = from.heap_inuse;
  to.heap_released = from.heap_released;
  to.stack_inuse = from.stack_inuse;
  to.stack_sys = from.stack_sys;
  to.mspan_inuse = from.mspan_inuse;
  to.mspan_sys = from.mspan_sys;
  to.mcache_inuse = from.mcache_inuse;
  to.mcache_sys = from.mcache_sys;
  to.buck_hash_sys = from.buck_hash_sys;
  to.other_sys = from.other_sys;
  to.sys = from.sys;
  to.by_size_count = from.by_size_count;
  for (size_t i = 0; i < from.by_size_count; ++i) {
    to.by_size[i] = {from.by_size[i].size, from.by_size[i].mallocs, from.by_size[i].frees};
  }
  constexpr auto kMost = static_cast<uint64_t>(kNoMemoryLimit);
  to.memory_limit = static_cast<int64_t>(std::min(from.memory_limit, kMost));
}

}  // namespace

BURROW_EXPORT MemStats read_mem_stats() {
  MemStats stats;
  heap::HeapStats figures = debug::read_figures();
  fill_heap(stats, figures);
  fill_cycles(stats, figures);
  stats.alloc = stats.heap_alloc;
  return stats;
}

}  // namespace burrow
