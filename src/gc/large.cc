// Objects over 32 KiB. See large.h.
#include "gc/large.h"

#include <cstring>

#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/gc.h"
#include "gc/pacer.h"
#include "gc/span_list.h"
#include "heap/mheap.h"

namespace burrow::gc {
namespace {

constinit Mutex g_lock{LockRank::kLargeObjects};
constinit SpanList g_spans BURROW_GUARDED_BY(g_lock);
constinit size_t g_bytes BURROW_GUARDED_BY(g_lock) = 0;
constinit uint64_t g_total_objects BURROW_GUARDED_BY(g_lock) = 0;
constinit uint64_t g_total_bytes BURROW_GUARDED_BY(g_lock) = 0;

void fill_entries(const heap::MSpan* span, uint16_t bits) {
  for (size_t i = 0; i < span->pages.value; ++i) {
    g_tables.entries[span->start.value + i].store(bits, std::memory_order_relaxed);
  }
}

}  // namespace

void* allocate_large(size_t bytes, ObjectKind kind, size_t& dirty_bytes) {
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

void sweep_large() {
  uint32_t epoch = g_epoch.load(std::memory_order_relaxed);
  size_t i = 0;
  for (;;) {
    heap::MSpan* dead = nullptr;
    {
      BusyScope busy;
      MutexLock hold(g_lock);
      for (; i < g_spans.size() && dead == nullptr; ++i) {
        heap::MSpan* span = g_spans[i];
        if (span->collected().epoch == epoch || last_mark(span->first).get()) {
          continue;  // allocated since the flip, or alive
        }
        dead = span;
        g_spans[i--] = g_spans[g_spans.size() - 1];
        (void)g_spans.pop();
        g_bytes -= span->elem_size;
      }
    }
    if (dead == nullptr) {
      return;
    }
    if (BURROW_UNLIKELY(clobbering())) {
      std::memset(reinterpret_cast<void*>(dead->first), kClobber, dead->elem_size);
    }
    fill_entries(dead, 0);
    heap::g_mheap.free_span(dead);
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

}  // namespace burrow::gc
