// Objects over 32 KiB. See large.h.
#include "gc/large.h"

#include <atomic>
#include <cstring>

#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/gc.h"
#include "gc/pacer.h"
#include "gc/settle.h"
#include "gc/span_list.h"
#include "heap/mheap.h"

namespace burrow::gc {
namespace {

constinit Mutex g_lock{LockRank::kLargeObjects};
constinit SpanList g_spans BURROW_GUARDED_BY(g_lock);
constinit size_t g_bytes BURROW_GUARDED_BY(g_lock) = 0;
constinit uint64_t g_total_objects BURROW_GUARDED_BY(g_lock) = 0;
constinit uint64_t g_total_bytes BURROW_GUARDED_BY(g_lock) = 0;
// How far the sweep is in `g_spans`: what lies before it lives or is new.
constinit size_t g_sweep_at BURROW_GUARDED_BY(g_lock) = 0;
// Relaxed: only hints that there may be something to sweep.
constinit std::atomic<bool> g_sweeping{false};

// Spans looked at under one hold of the lock.
constexpr size_t kLooks = 64;

void fill_entries(const heap::MSpan* span, uint16_t bits) {
  for (size_t i = 0; i < span->pages.value; ++i) {
    g_tables.entries[span->start.value + i].store(bits, std::memory_order_relaxed);
  }
}

// The next dead object, out of the list. Null when there is none, or not among the next `looks`.
heap::MSpan* take_dead(size_t& looks) BURROW_REQUIRES(g_lock) {
  uint32_t epoch = g_epoch.load(std::memory_order_relaxed);
  for (; g_sweep_at < g_spans.size() && looks > 0; --looks) {
    heap::MSpan* span = g_spans[g_sweep_at];
    if (span->collected().epoch == epoch || last_mark(span->first).get()) {
      ++g_sweep_at;  // allocated since the flip, or alive
      continue;
    }
    g_spans[g_sweep_at] = g_spans[g_spans.size() - 1];
    (void)g_spans.pop();
    g_bytes -= span->elem_size;
    return span;
  }
  if (g_sweep_at >= g_spans.size()) {
    g_sweeping.store(false, std::memory_order_relaxed);
  }
  return nullptr;
}

void free_dead(heap::MSpan* dead) {
  if (BURROW_UNLIKELY(clobbering())) {
    std::memset(reinterpret_cast<void*>(dead->first), kClobber, dead->elem_size);
  }
  fill_entries(dead, 0);
  heap::g_mheap.free_span(dead);
}

// Frees dead objects of so many bytes in all, if they are at hand. REQUIRES: the caller is busy.
void reclaim(size_t bytes) {
  size_t looks = kLooks;
  if (settling()) {
    return;
  }
  for (size_t freed = 0; freed < bytes && g_sweeping.load(std::memory_order_relaxed);) {
    heap::MSpan* dead = nullptr;
    {
      MutexLock hold(g_lock);
      dead = take_dead(looks);
    }
    if (dead == nullptr) {
      return;
    }
    freed += dead->elem_size;
    free_dead(dead);
  }
}

}  // namespace

void* allocate_large(size_t bytes, ObjectKind kind, size_t& dirty_bytes) {
  // As much as is taken, so that the heap does not grow by what the sweep has not come to yet.
  reclaim(bytes);
  heap::MSpan* span = heap::g_mheap.allocate_large(bytes, kPageSize, heap::SpanState::kCollected);
  if (span == nullptr) {
    return nullptr;
  }
  clear_tables(span->start, span->pages);
  auto* p = reinterpret_cast<void*>(span->first);
  dirty_bytes = span->need_zero ? span->elem_size : 0;
  span->collected().epoch = g_epoch.load(std::memory_order_relaxed);
  span->collected().entry = PageEntry::large(kind).bits;
  {
    MutexLock hold(g_lock);
    if (!g_spans.push(span)) {
      heap::g_mheap.free_span(span);
      return nullptr;
    }
    g_bytes += span->elem_size;
    ++g_total_objects;
    g_total_bytes += span->elem_size;
  }
  fill_entries(span, span->collected().entry);
  g_pacer.note_allocated(span->elem_size);
  return p;
}

void begin_large_sweep() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  g_sweep_at = 0;
  g_sweeping.store(true, std::memory_order_relaxed);
}

void sweep_large() {
  while (g_sweeping.load(std::memory_order_relaxed)) {
    BusyScope busy;
    reclaim(1);
  }
}

LargeFigures large_figures_while_stopped() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  return {g_spans.size(), g_bytes, g_total_objects, g_total_bytes};
}

LargeFigures large_figures() {
  BusyScope busy;
  MutexLock hold(g_lock);
  return large_figures_while_stopped();
}

RankedMutex& large_lock() {
  return g_lock;
}

}  // namespace burrow::gc
