// The heap around fork: both sides go on allocating. See os/fork.h.
#include "os/fork.h"

#include "heap/guard.h"
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

using Visit = void (*)(RankedMutex& lock);

void each_central(Visit visit) {
  for (size_t i = 1; i < kNumClasses; ++i) {
    visit(central_of(SizeClass(i)).lock());
    visit(sampled_central_of(SizeClass(i)).lock());
  }
}

// After fork, in the child: the other threads are gone, and their caches may have stood in the
// middle of an operation. What those held is lost to the child (never corrupt); their counts are
// kept.
void forget_other_caches() {
  MutexLock hold(g_caches.lock);
  for (MCache* cache = g_caches.first; cache != nullptr;) {
    MCache* next = cache->next;
    if (cache != t_heap.cache) {
      for (size_t i = 1; i < kNumClasses; ++i) {
        SizeClass c(i);
        g_caches.mallocs[i] += cache->mallocs_of(c) + cache->cached_of(c);
        g_caches.frees[i] += cache->frees_of(c);
      }
      g_caches.hits += cache->runs.hits();
      g_caches.hit_bytes += cache->runs.hit_bytes();
    }
    cache = next;
  }
  g_caches.first = t_heap.cache;
  g_caches.set_count(t_heap.cache != nullptr ? 1 : 0);
  g_caches.next_to_look_at = nullptr;
  if (t_heap.cache != nullptr) {
    t_heap.cache->next = t_heap.cache->prev = nullptr;
    t_heap.cache->owner = os::thread_id();
  }
}

// Handlers of fork that others handed in before Burrow was loaded run under the locks: they are
// served as signal handlers are (`begin_slow`).
constinit os::ForkPart g_fork_parts[] = {
    {.rank = LockRank::kHardened, .each_lock = [](Visit visit) { visit(hardened_lock()); }},
    {.rank = LockRank::kGuard, .each_lock = [](Visit visit) { visit(guard_lock()); }},
    {.rank = LockRank::kCacheRegistry,
     .each_lock = [](Visit visit) { visit(g_caches.lock); },
     .child = forget_other_caches},
    {.rank = LockRank::kCentral, .each_lock = each_central},
    {.rank = LockRank::kHeap,
     .each_lock = [](Visit visit) { visit(g_mheap.lock()); },
     .ready = heap_init,
     .inside = in_operation,
     .taken = begin_slow,
     .freed = end_slow,
     .child = forget_scavenger},
    {.rank = LockRank::kMetadata, .each_lock = [](Visit visit) { visit(meta_lock()); }},
};

__attribute__((constructor(102))) void add_parts() {
  for (os::ForkPart& part : g_fork_parts) {
    os::add_fork_part(part);
  }
}

}  // namespace
}  // namespace burrow::heap
