// include/burrow/heap.h over the heap. See api.h.
#include "burrow/heap.h"

#include "base/annotations.h"
#include "debug/figures.h"
#include "heap/heap.h"
#include "heap/stats.h"

namespace burrow {

BURROW_EXPORT MemStats read_mem_stats() {
  heap::HeapStats from = debug::read_figures();
  MemStats to;
  to.heap_alloc = from.heap_alloc;
  to.total_alloc = from.total_alloc;
  to.mallocs = from.mallocs;
  to.frees = from.frees;
  to.heap_sys = from.heap_sys;
  to.heap_idle = from.heap_idle;
  to.heap_inuse = from.heap_inuse;
  to.heap_released = from.heap_released;
  to.heap_objects = from.heap_objects;
  to.buck_hash_sys = from.buck_hash_sys;
  to.sys = from.sys;
  to.memory_limit = from.memory_limit;
  return to;
}

BURROW_EXPORT bool free_os_memory() {
  return heap::release_memory();
}

BURROW_EXPORT size_t set_memory_limit(size_t bytes) {
  return heap::set_memory_limit(bytes);
}

}  // namespace burrow
