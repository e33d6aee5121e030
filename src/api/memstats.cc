// include/burrow/memstats.h over both heaps. See api.h.
#include "burrow/memstats.h"

#include <algorithm>

#include "api/collected.h"
#include "base/annotations.h"
#include "burrow/heap.h"
#include "debug/figures.h"
#include "heap/stats.h"

namespace burrow {
namespace {

// malloc's blocks, and what both heaps hold from the system.
void fill_from_heap(MemStats& to) {
  heap::HeapStats from = debug::read_figures();
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
  fill_from_heap(stats);
  add_collected(stats);
  stats.alloc = stats.heap_alloc;
  return stats;
}

}  // namespace burrow
