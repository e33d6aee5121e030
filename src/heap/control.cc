// What concerns the whole heap: release, limit, verification, fork. See heap.h.
#include "heap/guard.h"
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {

void reclaim(MCache* cache) {
  if (cache != nullptr) {
    cache->flush();
  }
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

namespace {

// Every lock of the heap in the order of ranks.
template <typename F>
void for_all_locks(F f) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  f(hardened_lock());
  f(guard_lock());
  f(g_caches.lock);
  for (size_t i = 1; i < kNumClasses; ++i) {
    f(central_of(SizeClass(i)).lock());
    f(sampled_central_of(SizeClass(i)).lock());
  }
  f(g_mheap.lock());
  f(meta_lock());
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
    }
    cache = next;
  }
  g_caches.first = t_heap.cache;
  g_caches.count = t_heap.cache != nullptr ? 1 : 0;
  g_caches.next_to_look_at = nullptr;
  if (t_heap.cache != nullptr) {
    t_heap.cache->next = t_heap.cache->prev = nullptr;
    t_heap.cache->owner = os::thread_id();
  }
}

}  // namespace

bool lock_for_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  // A signal handler that interrupted the heap forks: a lock may be this thread's own. What other
  // threads are in the middle of may reach the child; such a child is one that executes a program.
  if (in_operation()) {
    return false;
  }
  heap_init();
  for_all_locks([](Mutex& m) BURROW_NO_THREAD_SAFETY_ANALYSIS { m.lock_for_fork(); });
  // Handlers of fork that others registered run under the locks: they are served as signal
  // handlers are.
  begin_slow();
  return true;
}

void unlock_after_fork_in_parent() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  for_all_locks([](Mutex& m) BURROW_NO_THREAD_SAFETY_ANALYSIS { m.unlock_after_fork(); });
  end_slow();
}

void unlock_after_fork_in_child(bool locked) {
  for_all_locks([](Mutex& m) { m.reset_after_fork(); });
  forget_scavenger();
  forget_other_caches();
  if (locked) {
    end_slow();
  }
}

}  // namespace burrow::heap
