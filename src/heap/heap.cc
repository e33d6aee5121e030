// Slow paths of allocation and free. See heap.h and mheap.h.
#include "heap/heap.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "heap/fast_path.h"
#include "heap/faults.h"
#include "heap/hardened.h"
#include "heap/heap_internal.h"
#include "heap/hooks.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "heap/reserve.h"

namespace burrow::heap {
namespace {

[[noreturn]] void report_free_of(const void* p, const MSpan* span) {
  if (span->index_of_known(p) >= 0) {
    report_double_free(p);
  }
  report_invalid_free(p);
}

// Checks a block that slow paths hand out, and clears its mark.
void* checked(void* p) {
  if (*static_cast<uintptr_t*>(p) != free_mark(p)) {
    report_write_after_free(p);
  }
  *static_cast<uintptr_t*>(p) = 0;
  return p;
}

// Tells the profiler; false when it did not take the sample. The thread stays busy meanwhile: what
// the profiler allocates (libgcc's unwinder may) comes from the reserve, and a handler that frees
// another sampled block does not meet the profiler's lock.
bool tell_profiler(MCache* cache, void* p, size_t size) {
  const ProfilerHooks* hooks = profiler_hooks();
  if (hooks == nullptr || hooks->sampled_alloc == nullptr) {
    return false;
  }
  cache->muted = true;
  bool taken = hooks->sampled_alloc(p, size);
  cache->muted = false;
  return taken;
}

void forget_sample(void* p) {
  const ProfilerHooks* hooks = profiler_hooks();
  if (hooks != nullptr && hooks->sampled_free != nullptr) {
    hooks->sampled_free(p);
  }
}

// For threads that are ending or could get no cache: straight to the spans.
void* allocate_direct(SizeClass c) {
  SlowScope busy;
  void* p = central_of(c).take_one();
  if (p == nullptr) {
    return nullptr;
  }
  MutexLock hold(g_caches.lock);
  ++g_caches.mallocs[c.value];
  return checked(p);
}

void free_direct(SizeClass c, void* p, MCentral& central) {
  SlowScope busy;
  *static_cast<uintptr_t*>(p) = free_mark(p);
  central.put_back(&p, 1);
  MutexLock hold(g_caches.lock);
  ++g_caches.frees[c.value];
}

// A large block out of what the thread freed last; null when there is none, or a sample is due.
void* reuse_large(size_t size) {
  if (size > RecentRuns::kMost.bytes() || t_heap.busy || hardened_on()) {
    return nullptr;
  }
  CacheHold hold;
  MCache* cache = t_heap.cache;
  PageCount pages = PageCount::for_bytes(size);
  MSpan* span = cache->runs.take(pages);
  if (span == nullptr) {
    return nullptr;
  }
  if (!cache->charge_unsampled(pages.bytes())) {
    cache->runs.keep(cache->runs.place_for(pages, PageCount(SIZE_MAX)), span);
    return nullptr;
  }
  cache->runs.note_hit(pages);
  span->need_zero = true;
  span->whole.pointer_free = false;
  span->state = SpanState::kLarge;
  return pointer_to(span->start);
}

BURROW_NOINLINE void* allocate_whole(size_t size) {
  return hardened_on() ? hardened_allocate(size, 1) : allocate_large(size, kPageSize);
}

// Of two frees at one time one is a double free.
void end_life(MSpan* span, const void* p) {
  // Relaxed: only the word itself counts.
  auto live = SpanState::kLarge;
  if (!g_faults.runs_stay_live &&
      !std::atomic_ref(span->state)
           .compare_exchange_strong(live, SpanState::kCached, std::memory_order_relaxed)) {
    report_double_free(p);
  }
}

// Keeps a large block's run where that takes nothing else; false, and nothing done, when not.
bool keep_large(void* p) {
  PageId page;
  if (t_heap.busy || hardened_on() || !find_page(p, page)) {
    return false;
  }
  MSpan* span = span_of_page(page);
  if (span == nullptr || span->state != SpanState::kLarge || pointer_to(span->start) != p ||
      span->whole.sampled || span->has_own_mapping()) {
    return false;
  }
  CacheHold hold;
  RecentRuns& runs = t_heap.cache->runs;
  size_t place = runs.place_for(span->pages, g_caches.run_budget.load(std::memory_order_relaxed));
  if (place == RecentRuns::kRuns) {
    return false;
  }
  end_life(span, p);
  runs.keep(place, span);
  return true;
}

MCache::Refill refill_or_reclaim(MCache* cache, SizeClass c) {
  MCache::Refill got = cache->refill(c);
  if (got.block == nullptr) {
    reclaim(cache);
    got = cache->refill(c);
  }
  return got;
}

void free_sampled(MCache* cache, MSpan* span, void* p) {
  SizeClass c = span->size_class;
  SlowScope busy;
  forget_sample(p);
  if (cache == nullptr) {
    free_direct(c, p, sampled_central_of(c));
    return;
  }
  *static_cast<uintptr_t*>(p) = free_mark(p);
  if (!cache->keep_spare(c, p)) {
    sampled_central_of(c).put_back(&p, 1);
    ++cache->states[c.value].given;
  }
}

// A deferred block's first word: the next one of the list, or null, hidden by the key. So its
// highest byte says "may be free", as that of a free block does.
uintptr_t hide_link(void* next) {
  return free_mark(next);
}

void* find_link(const void* block) {
  return reinterpret_cast<void*>(free_mark(*static_cast<void* const*>(block)));
}

bool is_deferred(const void* p) {
  void* at = t_heap.deferred.load(std::memory_order_relaxed);
  while (at != nullptr && at != p) {
    at = find_link(at);
  }
  return at == p;
}

// A signal handler in the middle of a slow path frees: the slow path takes the block in at its end.
// The link destroys the mark of a block that is free already, so that is looked for here.
void defer_free(MSpan* span, void* p) {
  if (span->index_of_known(p) < 0) {
    report_invalid_free(p);
  }
  if (span->state == SpanState::kCached || span->is_blank(p)) {
    report_double_free(p);
  }
  if (may_be_free(p) && ((span->state != SpanState::kLarge && is_marked(p)) || is_deferred(p))) {
    report_double_free(p);
  }
  // Relaxed: only this thread and its own handlers touch the list.
  void* head = t_heap.deferred.load(std::memory_order_relaxed);
  do {
    *static_cast<uintptr_t*>(p) = hide_link(head);
  } while (!t_heap.deferred.compare_exchange_weak(head, p, std::memory_order_relaxed));
}

void free_in_span(MSpan* span, MCache* cache, void* p) {
  if (span->index_of_known(p) < 0 || is_marked(p) || span->is_blank(p)) {
    report_free_of(p, span);
  }
  if (span->state == SpanState::kSampled) {
    free_sampled(cache, span, p);
    return;
  }
  SizeClass c = span->size_class;
  if (cache == nullptr) {
    free_direct(c, p, central_of(c));
    return;
  }
  {
    CacheHold hold;
    if (push_to_slot(cache->slots[c.value], p)) {
      return;
    }
  }
  SlowScope busy;
  cache->overflow(c, p);
}

}  // namespace

void begin_slow() {
  if (t_heap.cache == nullptr) {
    t_heap.inside = true;
  }
  t_heap.busy = true;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

void end_slow() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_heap.inside = false;
  t_heap.busy = t_heap.cache == nullptr;
  while (t_heap.deferred.load(std::memory_order_relaxed) != nullptr) {
    void* p = t_heap.deferred.exchange(nullptr, std::memory_order_relaxed);
    while (p != nullptr) {
      void* next = find_link(p);
      *static_cast<void**>(p) = nullptr;
      deallocate_checked(p);
      p = next;
    }
  }
}

void* allocate_class_slow(SizeClass c, size_t size, void* popped) {
  if (!t_heap.busy) {
    CacheHold hold;
    // No longer on top: a signal handler came between, and took it; then it is not damaged.
    if (popped != nullptr && popped == *t_heap.cache->slots[c.value].top &&
        popped != bottom_block() && !is_marked(popped)) {
      report_write_after_free(popped);
    }
    if (void* p = t_heap.cache->quick_refill(c); p != nullptr) {
      return checked(p);
    }
  }
  ErrnoScope keep_errno;
  if (in_operation()) {
    return reserve_allocate(size);
  }
  MCache* cache = current_cache();
  if (cache == nullptr) {
    return allocate_direct(c);
  }
  SlowScope busy;
  maybe_verify();
  MCache::Refill got = refill_or_reclaim(cache, c);
  if (got.block == nullptr) {
    return nullptr;
  }
  void* p = checked(got.block);
  if (got.sampled && !tell_profiler(cache, p, class_info(c).size)) {
    // Give it back unseen, and take a plain block.
    *static_cast<uintptr_t*>(p) = free_mark(p);
    sampled_central_of(c).put_back(&p, 1);
    --cache->states[c.value].granted;
    --cache->states[c.value].taken;
    cache->muted = true;
    got = refill_or_reclaim(cache, c);
    cache->muted = false;
    p = got.block == nullptr ? nullptr : checked(got.block);
  }
  return p;
}

void* allocate_slow(size_t size, void* popped) {
  if (size > kMaxSmallSize) {
    void* p = reuse_large(size);
    return p != nullptr ? p : allocate_whole(size);
  }
  if (size > kMaxTinySize && BURROW_LIKELY(!t_heap.busy) &&
      BURROW_LIKELY(pop_block(kMediumSlotOf[medium_index(size)], popped))) {
    return popped;
  }
  if (BURROW_UNLIKELY(hardened_on())) {
    return hardened_allocate(size, 1);
  }
  return allocate_class_slow(class_for(size), size, popped);
}

void* allocate_large(size_t size, size_t alignment) {
  if (size > PTRDIFF_MAX) {
    return nullptr;
  }
  ErrnoScope keep_errno;
  if (in_operation()) {
    return alignment <= kPageSize ? reserve_allocate(size) : nullptr;
  }
  MCache* cache = current_cache();
  SlowScope busy;
  maybe_verify();
  MSpan* span = g_mheap.allocate_large(size, alignment, SpanState::kLarge);
  if (span == nullptr) {
    reclaim(cache);
    span = g_mheap.allocate_large(size, alignment, SpanState::kLarge);
  }
  if (span == nullptr) {
    return nullptr;
  }
  bool sampled = cache != nullptr && cache->charge(span->elem_size);
  void* p = pointer_to(span->start);
  span->whole.sampled = sampled && tell_profiler(cache, p, span->elem_size);
  return p;
}

void free_large(MSpan* span, void* p) {
  if (span->index_of_start(p) != 0) {
    report_invalid_free(p);
  }
  SlowScope busy;
  end_life(span, p);
  if (std::exchange(span->whole.sampled, false)) {
    forget_sample(p);
  }
  if (MCache* cache = t_heap.cache; cache != nullptr) {
    cache->keep_run(span);
  } else {
    g_mheap.free_span(span);
  }
}

void deallocate_slow(void* p) {
  if (!keep_large(p) && p != nullptr) {
    deallocate_checked(p);
  }
}

void deallocate_checked(void* p) {
  ErrnoScope keep_errno;
  PageId page;
  if (!find_page(p, page)) {
    if (is_reserve_block(p)) {
      reserve_free(p);
      return;
    }
    if (const ForeignHooks* other = foreign_owner(p); other != nullptr) {
      other->free(p);
      return;
    }
    report_invalid_free(p);
  }
  MSpan* span = span_of_page(page);
  if (span == nullptr) {
    report_invalid_free(p);
  }
  if (in_operation()) {
    defer_free(span, p);
    return;
  }
  MCache* cache = current_cache();
  if (hardened_on() && hardened_free(span, p)) {
    return;
  }
  switch (span->state) {
    case SpanState::kSmall:
    case SpanState::kSampled:
      free_in_span(span, cache, p);
      return;
    case SpanState::kLarge:
    case SpanState::kCached:
      free_large(span, p);
      return;
    case SpanState::kGuarded:
    case SpanState::kCollected:
    case SpanState::kFree:
      break;
  }
  report_invalid_free(p);
}

void* allocate(size_t size) {
  return allocate_fast(size);
}

void deallocate(void* p) {
  deallocate_fast(p);
}

}  // namespace burrow::heap
