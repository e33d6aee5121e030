// What concerns the whole heap: release, limit, verification, fork. See heap.h.
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/metadata.h"
#include "heap/mheap.h"

namespace burrow::heap {

void reclaim(MCache* cache) {
  if (cache != nullptr) {
    cache->flush();
  }
  for (size_t i = 1; i < kNumClasses; ++i) {
    central_of(SizeClass(i)).flush_depot();
  }
}

bool release_memory() {
  heap_init();
  MCache* cache = current_cache();
  if (in_operation()) {
    return false;
  }
  SlowScope busy(cache);
  reclaim(cache);
  return g_mheap.scavenge_all() > 0;
}

size_t set_memory_limit(size_t bytes) {
  heap_init();
  return g_mheap.set_limit(bytes);
}

void verify() {
  heap_init();
  if (t_heap.cache != nullptr) {
    t_heap.cache->verify();
  }
  for (size_t i = 1; i < kNumClasses; ++i) {
    central_of(SizeClass(i)).verify();
    sampled_central_of(SizeClass(i)).verify();
  }
  g_mheap.verify();
}

namespace {

// Every lock of the heap in the order of ranks.
template <typename F>
void for_all_locks(F f) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  f(hardened_lock());
  f(g_caches.lock);
  for (size_t i = 1; i < kNumClasses; ++i) {
    f(central_of(SizeClass(i)).lock());
    f(sampled_central_of(SizeClass(i)).lock());
  }
  f(g_mheap.lock());
  f(meta_lock());
}

}  // namespace

void lock_for_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  heap_init();
  // The forking thread's own slow path cannot be underway, but a handler of it could fork.
  for_all_locks([](Mutex& m) BURROW_NO_THREAD_SAFETY_ANALYSIS { m.lock_for_fork(); });
}

void unlock_after_fork_in_parent() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  for_all_locks([](Mutex& m) BURROW_NO_THREAD_SAFETY_ANALYSIS { m.unlock_after_fork(); });
}

void unlock_after_fork_in_child() {
  for_all_locks([](Mutex& m) { m.reset_after_fork(); });
  // The other threads are gone, and their caches may have stood in the middle of an operation:
  // what those held is lost to the child (never corrupt), and their counts are kept.
  MutexLock hold(g_caches.lock);
  for (MCache* cache = g_caches.first; cache != nullptr;) {
    MCache* next = cache->next;
    if (cache != t_heap.cache) {
      for (size_t i = 1; i < kNumClasses; ++i) {
        SizeClass c(i);
        g_caches.mallocs[i] += cache->mallocs_of(c) + cache->cached_of(c);
        g_caches.frees[i] += cache->frees_of(c);
      }
    }
    cache = next;
  }
  g_caches.first = t_heap.cache;
  g_caches.count = t_heap.cache != nullptr ? 1 : 0;
  if (t_heap.cache != nullptr) {
    t_heap.cache->next = t_heap.cache->prev = nullptr;
  }
}

}  // namespace burrow::heap
