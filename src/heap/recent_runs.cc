// Runs that are kept for the next large block. See recent_runs.h.
#include "heap/recent_runs.h"

#include "base/annotations.h"
#include "heap/mcache.h"
#include "heap/mheap.h"

namespace burrow::heap {

MSpan* RecentRuns::make_place(PageCount pages, PageCount most) {
  MSpan* gone = nullptr;
  while (place_for(pages, most) == kRuns) {
    if (MSpan* old = clear(victim_++ % kRuns); old != nullptr) {
      old->next = gone;
      gone = old;
    }
  }
  return gone;
}

MSpan* RecentRuns::steal(MSpan* rest) {
  for (std::atomic<MSpan*>& run : runs_) {
    // Acquire: pairs with the release in `keep`. The load spares the owner a line that is shared.
    if (run.load(std::memory_order_relaxed) == nullptr) {
      continue;
    }
    if (MSpan* span = run.exchange(nullptr, std::memory_order_acquire); span != nullptr) {
      span->next = rest;
      rest = span;
    }
  }
  return rest;
}

bool RecentRuns::idle() {
  // Relaxed: the scavenger and the owner may both look; a run then goes a look too early or late.
  uint64_t now = hits();
  return seen_.exchange(now, std::memory_order_relaxed) == now;
}

BURROW_NO_TSAN RecentRuns::Kept RecentRuns::kept() const {
  Kept kept;
  for (const std::atomic<MSpan*>& run : runs_) {
    // Descriptors stay readable: a figure that is read while the owner takes the run may be old.
    if (const MSpan* span = run.load(std::memory_order_acquire); span != nullptr) {
      ++kept.runs;
      kept.bytes += span->pages.bytes();
    }
  }
  return kept;
}

void drop_recent_runs(bool idle_only) {
  MSpan* gone = nullptr;
  {
    MutexLock hold(g_caches.lock);
    for (MCache* cache = g_caches.first; cache != nullptr; cache = cache->next) {
      if (!idle_only || cache->runs.idle()) {
        gone = cache->runs.steal(gone);
      }
    }
  }
  g_mheap.free_spans(gone);
}

}  // namespace burrow::heap
