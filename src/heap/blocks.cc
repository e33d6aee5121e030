// Aligned, zeroed, resized and sized variants of allocation. See heap.h.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "heap/fast_path.h"
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/hooks.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "heap/reserve.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

// From here on a moved mapping beats copying: 256 page-table entries against 1 MiB of bytes.
constexpr size_t kMoveFrom = kMiB;

// The span of a live block; ends the program when `p` is none.
MSpan* live_span(const void* p, PointerUse use) {
  MSpan* span = span_of(p);
  if (span == nullptr || span->index_of_known(p) < 0) {
    report_invalid_pointer(use, p);
  }
  // A fresh large block may still hold the mark of a small one that began there.
  bool small = span->state == SpanState::kSmall || span->state == SpanState::kSampled;
  if ((small && (is_marked(p) || span->is_blank(p))) || span->state == SpanState::kCached) {
    report_freed_pointer(use, p);
  }
  return span;
}

// Resizes by copying. Without memory a block that shrinks stays where it is.
void* move_block(void* block, size_t old, size_t size) {
  void* p = allocate_fast(size);
  if (p == nullptr) {
    return size <= old ? block : nullptr;
  }
  std::memcpy(p, block, std::min(old, size));
  deallocate_fast(block);
  return p;
}

void* resize_small(void* block, size_t old, size_t size) {
  // A block that is at least half used stays where it is.
  if (size <= old && size > old / 2) {
    return block;
  }
  return move_block(block, old, size);
}

// Gives the thread's kept runs back when one of them stands where `span` would grow to.
bool drop_run_behind(const MSpan* span) {
  PageId end = span->start + span->pages;
  MSpan* next = end.value < arena_page_count() ? span_of_page(end) : nullptr;
  // Relaxed: whose it is shows when the block is resized once more.
  if (next == nullptr || t_heap.cache == nullptr ||
      std::atomic_ref(next->state).load(std::memory_order_relaxed) != SpanState::kCached) {
    return false;
  }
  g_mheap.free_spans(t_heap.cache->runs.steal(nullptr));
  return true;
}

// The class of a request; none for whole pages. C's sized frees come with any alignment.
SizeClass class_of_request(size_t size, size_t alignment) {
  alignment = alignment > kPageSize ? alignment : std::bit_ceil(alignment);
  if (alignment <= 16) {
    return size <= kMaxSmallSize ? class_for(size) : SizeClass();
  }
  return class_for_aligned(size, alignment);
}

}  // namespace

void* allocate_aligned(size_t alignment, size_t size) {
  if (hardened_on()) {
    return hardened_allocate(size, alignment);
  }
  if (alignment <= 16) {
    return allocate_fast(size);
  }
  SizeClass c = class_for_aligned(size, alignment);
  if (!c) {
    return allocate_large(std::max<size_t>(size, 1), std::max(alignment, kPageSize));
  }
  void* p = nullptr;
  if (!t_heap.busy && pop_block(slot_offset(c), p)) {
    return p;
  }
  if (in_operation()) {
    return nullptr;  // the reserve for signal handlers knows no alignment beyond 16
  }
  return allocate_class_slow(c, class_info(c).size, p);
}

void* allocate_zeroed(size_t size) {
  void* p = allocate_fast(size);
  if (p == nullptr) {
    return nullptr;
  }
  if (size <= kMaxSmallSize || span_of(p) == nullptr || span_of(p)->need_zero || hardened_on()) {
    std::memset(p, 0, size);
  }
  return p;
}

size_t usable_size(const void* p) {
  PageId page;
  if (!find_page(p, page)) {
    if (is_reserve_block(p)) {
      return reserve_usable_size(p);
    }
    if (const ForeignHooks* other = foreign_owner(p); other != nullptr) {
      return other->usable_size(const_cast<void*>(p));
    }
  }
  MSpan* span = live_span(p, PointerUse::kUsableSize);
  return hardened_on() ? hardened_usable_size(span, p) : span->elem_size;
}

void* reallocate(void* block, size_t size) {
  PageId page;
  if (BURROW_UNLIKELY(!find_page(block, page)) || hardened_on()) {
    return move_block(block, usable_size(block), size);
  }
  MSpan* span = live_span(block, PointerUse::kRealloc);
  if (span->state != SpanState::kLarge || size <= kMaxSmallSize) {
    return resize_small(block, span->elem_size, size);
  }
  size_t old = span->elem_size;
  if (size <= old && size >= old - old / 8) {
    return block;
  }
  if (size > PTRDIFF_MAX) {
    return nullptr;
  }
  if (!in_operation()) {
    SlowScope busy;
    if (g_mheap.resize_large(span, size) ||
        (drop_run_behind(span) && g_mheap.resize_large(span, size))) {
      return block;
    }
  }
  return grow_large(span, size);
}

// Growing blocks tend to grow again: room for an eighth more costs addresses, not memory.
void* grow_large(MSpan* span, size_t size) {
  void* old = pointer_to(span->start);
  size_t old_bytes = span->elem_size;
  size_t roomy = size >= kMoveFrom ? size + size / 8 : size;
  void* p = allocate_large(roomy, kPageSize);
  if (p == nullptr && roomy != size) {
    p = allocate_large(size, kPageSize);
  }
  if (p == nullptr) {
    return nullptr;
  }
  MSpan* to = span_of(p);
  size_t bytes = std::min(old_bytes, size);
  if (to == nullptr || bytes < kMoveFrom || !g_mheap.move_large(span, to, bytes)) {
    std::memcpy(p, old, bytes);
  }
  deallocate_slow(old);
  return p;
}

void deallocate_sized(void* p, size_t size, size_t alignment, SizeRule rule) {
  if (p == nullptr) {
    return;
  }
  PageId page;
  if (hardened_on() ||
      (!find_page(p, page) && (is_reserve_block(p) || foreign_owner(p) != nullptr))) {
    size_t usable = usable_size(p);
    if (usable < size || (hardened_on() && rule == SizeRule::kExact && usable != size)) {
      report_wrong_size(p, size);
    }
    deallocate_slow(p);
    return;
  }
  const MSpan* span = span_of(p);
  if (span != nullptr && span->index_of_known(p) >= 0) {
    SizeClass expected = class_of_request(size, alignment);
    PageCount pages = PageCount::for_bytes(std::max<size_t>(size, 1));
    // realloc gives large blocks room to grow.
    bool fits = span->size_class == expected && (expected || pages == span->pages);
    // Without memory a block that shrinks stays where it is.
    bool resized = rule == SizeRule::kMayBeResized && size <= span->elem_size;
    if (!fits && !resized) {
      report_wrong_size(p, size);
    }
  }
  deallocate_fast(p);
}

}  // namespace burrow::heap
