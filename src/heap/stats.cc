// The heap's figures. See stats.h.
#include "heap/stats.h"

#include <algorithm>
#include <new>

#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

// Large blocks as the program sees them: what caches keep is free to it.
void read_runs(HeapStats& stats, const MHeap::Figures& f) {
  uint64_t hits = 0;
  uint64_t hit_bytes = 0;
  RecentRuns::Kept kept;
  {
    MutexLock hold(g_caches.lock);
    hits = g_caches.hits;
    hit_bytes = g_caches.hit_bytes;
    for (const MCache* cache = g_caches.first; cache != nullptr; cache = cache->next) {
      RecentRuns::Kept here = cache->runs.kept();
      kept.runs += here.runs;
      kept.bytes += here.bytes;
      hits += cache->runs.hits();
      hit_bytes += cache->runs.hit_bytes();
    }
  }
  uint64_t mallocs = f.large_mallocs + hits;
  uint64_t frees = std::min(f.large_frees + hits + kept.runs, mallocs);  // read while they moved
  stats.mallocs += mallocs;
  stats.frees += frees;
  stats.total_alloc += f.large_bytes_total + hit_bytes;
  stats.large_objects = mallocs - frees;
  stats.large_bytes = f.large_bytes - std::min(kept.bytes, f.large_bytes);
  stats.alloc += stats.large_bytes;
  stats.cached_objects += kept.runs;
  stats.cached_bytes += kept.bytes;
}

// Adds up the classes over all threads, with the depots' blocks as cached.
void read_classes(HeapStats& stats) {
  stats.by_size_count = kNumClasses - 1;
  {
    MutexLock hold(g_caches.lock);
    stats.threads = g_caches.count;
    for (size_t i = 1; i < kNumClasses; ++i) {
      SizeClass c(i);
      BySize& line = stats.by_size[i - 1];
      line.size = class_info(c).size;
      line.mallocs = g_caches.mallocs[i];
      line.frees = g_caches.frees[i];
      for (const MCache* cache = g_caches.first; cache != nullptr; cache = cache->next) {
        line.mallocs += cache->mallocs_of(c);
        line.frees += cache->frees_of(c);
        size_t cached = cache->cached_of(c);
        stats.cached_objects += cached;
        stats.cached_bytes += cached * line.size;
      }
      if (line.frees > line.mallocs) {
        line.frees = line.mallocs;  // read while they moved
      }
    }
  }
  for (size_t i = 1; i < kNumClasses; ++i) {
    const BySize& line = stats.by_size[i - 1];
    stats.mallocs += line.mallocs;
    stats.frees += line.frees;
    stats.total_alloc += line.mallocs * line.size;
    stats.alloc += (line.mallocs - line.frees) * line.size;
    size_t in_depot = central_of(SizeClass(i)).depot_blocks();
    stats.cached_objects += in_depot;
    stats.cached_bytes += in_depot * line.size;
  }
}

}  // namespace

void read_stats(HeapStats& stats) {
  new (&stats) HeapStats;  // an assignment would have a second one on the stack
  if (in_operation()) {
    return;  // a signal handler inside malloc: a lock may be this thread's
  }
  heap_init();
  SlowScope busy;
  read_classes(stats);
  MHeap::Figures f = g_mheap.figures();
  read_runs(stats, f);
  stats.heap_alloc = stats.alloc;
  stats.heap_objects = stats.mallocs - stats.frees;
  stats.heap_sys = f.committed;
  stats.heap_inuse = f.used;
  stats.heap_idle = f.committed - f.used;
  stats.heap_released = stats.heap_idle - f.free_backed;
  stats.mspan_inuse = meta_in_use(MetaKind::kSpan);
  stats.mcache_inuse = meta_in_use(MetaKind::kCache) + meta_in_use(MetaKind::kMagazine);
  size_t meta = meta_from_os();
  stats.mcache_sys = stats.mcache_inuse;
  stats.mspan_sys = meta > stats.mcache_inuse ? meta - stats.mcache_inuse : stats.mspan_inuse;
  // The page tables that describe what is committed.
  stats.other_sys = f.committed / kPageSize * (sizeof(uint16_t) + sizeof(void*)) +
                    f.committed / kChunkSize * sizeof(Chunk);
  stats.sys = stats.heap_sys + stats.mspan_sys + stats.mcache_sys + stats.other_sys;
  stats.peak_committed = f.peak;
  stats.memory_limit = g_mheap.limit() == SIZE_MAX ? UINT64_MAX : g_mheap.limit();
  stats.scavenged_total = f.released_total;
}

}  // namespace burrow::heap
