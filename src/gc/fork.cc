// The collected heap around fork: both sides go on allocating and collecting. See os/fork.h.
#include "os/fork.h"

#include "gc/cache.h"
#include "gc/central.h"
#include "gc/cleanup.h"
#include "gc/collector.h"
#include "gc/due_queue.h"
#include "gc/gc.h"
#include "gc/large.h"
#include "gc/mapped_roots.h"
#include "gc/mark_pool.h"
#include "gc/no_access.h"
#include "gc/specials.h"
#include "os/task_list.h"
#include "os/thread.h"
#include "sched/start.h"

namespace burrow::gc {
namespace {

using Visit = void (*)(RankedMutex& lock);

void each_start_lock(Visit visit) {
  visit(start_lock());
  visit(g_collector.start_lock());
}

void each_specials_lock(Visit visit) {
  visit(specials_lock());
  visit(g_due.lock());
}

void each_central(Visit visit) {
  for_each_central([visit](Central& central) { visit(central.lock()); });
}

void each_leaf(Visit visit) {
  visit(g_collector.stats_lock());
  visit(mapped_roots_lock());
  visit(no_access_lock());
}

// Threads of the program run beside the one that forks. Guarded by the locks of a fork; true where
// a fork takes none.
constinit bool g_beside_others = true;

// REQUIRES: all locks are taken, so that no destructor begins meanwhile.
bool has_others() {
  size_t threads = 0;
  bool known = os::for_each_task([&](uint32_t) { ++threads; });
  return !known || threads > 1 + os::own_threads() || sched::runs_goroutines() || cleanups_run();
}

void in_child() {
  if (!started()) {
    return;
  }
  g_collector.reset_after_fork();
  reset_cleanups_after_fork(g_beside_others);
  const Cache* own = forget_other_caches();
  for_each_central([own](Central& central) {
    central.disown(own == nullptr ? nullptr : own->spans[central.slot()]);
  });
}

constinit os::ForkPart g_fork_parts[] = {
    {.rank = LockRank::kCycle,
     .each_lock = [](Visit visit) { visit(g_collector.cycle_lock()); },
     .taken = [] { g_beside_others = !started() || has_others(); },
     .freed = [] { g_beside_others = true; },
     .child = in_child},
    {.rank = LockRank::kCollector, .each_lock = each_start_lock},
    {.rank = LockRank::kCacheList, .each_lock = [](Visit visit) { visit(cache_list_lock()); }},
    {.rank = LockRank::kSpecials, .each_lock = each_specials_lock},
    {.rank = LockRank::kCollectedCentral, .each_lock = each_central},
    {.rank = LockRank::kLargeObjects, .each_lock = [](Visit visit) { visit(large_lock()); }},
    {.rank = LockRank::kMarkPool, .each_lock = [](Visit visit) { visit(g_mark_pool.lock()); }},
    {.rank = LockRank::kLeaf, .each_lock = each_leaf},
};

__attribute__((constructor(102))) void add_parts() {
  for (os::ForkPart& part : g_fork_parts) {
    os::add_fork_part(part);
  }
}

}  // namespace
}  // namespace burrow::gc
