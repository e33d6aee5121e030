// What concerns the whole heap: release, limit, verification. See heap.h.
#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::heap {

void reclaim(MCache* cache) {
  if (cache != nullptr) {
    cache->flush();
  }
  drop_recent_runs(false);
  for (size_t i = 1; i < kNumClasses; ++i) {
    central_of(SizeClass(i)).flush_depot();
    sampled_central_of(SizeClass(i)).flush_depot();
  }
}

bool release_memory() {
  if (in_operation()) {
    return false;
  }
  heap_init();
  MCache* cache = current_cache();
  SlowScope busy;
  reclaim(cache);
  return g_mheap.scavenge_all() > 0;
}

size_t set_memory_limit(size_t bytes) {
  heap_init();
  return g_mheap.set_limit(bytes);
}

size_t memory_limit() {
  heap_init();
  return g_mheap.limit();
}

void fit_address_space_limit() {
  if (in_operation()) {
    return;
  }
  heap_init();
  SlowScope busy;
  g_mheap.fit_address_space_limit();
}

void verify() {
  heap_init();
  bool nested = in_operation();
  if (!nested) {
    begin_slow();
  }
  if (t_heap.cache != nullptr) {
    t_heap.cache->verify();
  }
  for (size_t i = 1; i < kNumClasses; ++i) {
    central_of(SizeClass(i)).verify();
    sampled_central_of(SizeClass(i)).verify();
  }
  g_mheap.verify();
  if (!nested) {
    end_slow();
  }
}

}  // namespace burrow::heap
