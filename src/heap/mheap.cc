// Spans out of pages. See mheap.h.
#include "heap/mheap.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/check.h"
#include "heap/metadata.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

// The pages from `from` on that the table of spans tells of. Of a large block that is its first
// page and the first pages of chunks: its length would else make each malloc and free of megabytes
// write hundreds of entries.
template <typename F>
void for_table_pages(const MSpan* span, PageId from, F f) {
  size_t end = span->start.value + span->pages.value;
  size_t at = from.value;
  if (!is_whole(span->state)) {
    for (; at < end; ++at) {
      f(at);
    }
    return;
  }
  if (from == span->start) {
    f(at++);
  }
  for (at = round_up(at, kPagesPerChunk); at < end; at += kPagesPerChunk) {
    f(at);
  }
}

// Relaxed: the block is dead; only a wrong free could still ask.
void clear_tables(const MSpan* span, PageId from) {
  for_table_pages(span, from, [](size_t page) {
    g_arena.page_entries[page].store(0, std::memory_order_relaxed);
    g_arena.spans[page].store(nullptr, std::memory_order_relaxed);
  });
}

// The pages have no entry yet, so frees take the slow path: see MSpan::open_page.
void fill_tables(MSpan* span, PageId from) {
  for_table_pages(span, from, [span](size_t page) {
    // Relaxed: see span_of_page.
    g_arena.spans[page].store(span, std::memory_order_relaxed);
  });
}

// Blocks of 256 KiB and more start at few places: half their size, rounded down to a power of two,
// up to a chunk, where longer ones start anyway. Programs that ask for more than they use then find
// the beginnings of their blocks in memory that was touched before: a third fewer page faults in
// the benchmark "large touched". The gaps are for smaller blocks, whose own would only make the
// heap larger.
size_t few_starts(PageCount pages) {
  constexpr size_t kFrom = 256 * kKiB / kPageSize;
  if (pages.value < kFrom) {
    return kPageSize;
  }
  return std::min(std::bit_floor(pages.value / 2), kPagesPerChunk) * kPageSize;
}

}  // namespace

constinit MHeap g_mheap;

MSpan* MHeap::new_span(PageCount pages, size_t alignment, size_t block_count, SpanState state) {
  PageRun run;
  if (!make_room(pages, state)) {
    return nullptr;
  }
  size_t descriptor = MSpan::descriptor_bytes(block_count);
  void* memory = meta_allocate(descriptor, MetaKind::kSpan);
  if (memory == nullptr) {
    return nullptr;
  }
  if (!pages_.allocate(pages, std::max<size_t>(1, alignment / kPageSize), run)) {
    meta_free(memory, descriptor, MetaKind::kSpan);
    return nullptr;
  }
  auto* span = new (memory) MSpan;
  span->start = run.start;
  span->pages = run.pages;
  span->need_zero = run.need_zero;
  ++span_count_;
  note_growth(run.unbacked);
  note_manual(state, run.pages.value, 0);
  return span;
}

// Pages came into use, `unbacked` of them without memory.
void MHeap::note_growth(PageCount unbacked) {
  note_regret(unbacked);
  peak_pages_ = std::max(peak_pages_, pages_.used().value + pages_.free_backed().value);
  idle_low_water_ = std::min(idle_low_water_, pages_.free_backed().value);
}

void MHeap::note_manual(SpanState state, size_t more, size_t fewer) {
  if (state != SpanState::kCollected) {
    size_t pages = manual_pages_.load(std::memory_order_relaxed);
    manual_pages_.store(pages + more - fewer, std::memory_order_relaxed);
  }
}

MSpan* MHeap::allocate_blocks(SizeClass c, SpanState state) {
  const ClassInfo& info = class_info(c);
  MSpan* span = nullptr;
  {
    MutexLock hold(lock_);
    span = new_span(PageCount(info.pages), kPageSize, info.capacity, state);
  }
  if (span == nullptr) {
    return nullptr;
  }
  span->init_blocks(c, state);
  fill_tables(span, span->start);
  return span;
}

MSpan* MHeap::allocate_large(size_t bytes, size_t alignment, SpanState state) {
  if (bytes > arena_page_count() * kPageSize || alignment > arena_page_count() * kPageSize) {
    return nullptr;
  }
  MSpan* span = nullptr;
  {
    MutexLock hold(lock_);
    PageCount pages = PageCount::for_bytes(bytes);
    span = new_span(pages, std::max(alignment, few_starts(pages)), 1, state);
    if (span != nullptr && state == SpanState::kLarge) {
      ++large_mallocs_;
      large_bytes_ += span->pages.bytes();
      large_bytes_total_ += span->pages.bytes();
    }
  }
  if (span == nullptr) {
    return nullptr;
  }
  span->first = address_of(span->start);
  span->elem_size = span->pages.bytes();
  span->elem_count = 1;
  span->fresh.store(1, std::memory_order_relaxed);
  span->state = state;
  fill_tables(span, span->start);
  return span;
}

void MHeap::free_span(MSpan* span) {
  clear_tables(span, span->start);
  size_t descriptor = MSpan::descriptor_bytes(span->elem_count);
  if (span->has_own_mapping()) {
    settle_moved(span);
  }
  PageId start = span->start;
  PageCount pages = span->pages;
  SpanState state = span->state;
  bool large = is_whole(state);
  span->state = SpanState::kFree;
  meta_free(span, descriptor, MetaKind::kSpan);
  bool too_much = false;
  {
    ScavengerWake wake;
    MutexLock hold(lock_);
    pages_.free(start, pages);
    --span_count_;
    note_manual(state, 0, pages.value);
    if (large) {
      ++large_frees_;
      large_bytes_ -= pages.bytes();
    }
    if (++ticks_ % 16 == 0 || pages.value >= 64) {
      scavenge_if_due(os::monotonic_ns());
    }
    wake.wanted = note_idle();
    too_much = wake.wanted && holds_too_much();
  }
  if (too_much) {
    release_excess();
  }
}

void MHeap::free_spans(MSpan* list) {
  while (list != nullptr) {
    MSpan* next = list->next;
    free_span(list);
    list = next;
  }
}

bool MHeap::resize_large(MSpan* span, size_t bytes) {
  PageCount wanted = PageCount::for_bytes(bytes);
  if (bytes > arena_page_count() * kPageSize) {
    return false;
  }
  return wanted > span->pages ? lengthen(span, wanted) : shorten(span, wanted);
}

bool MHeap::lengthen(MSpan* span, PageCount wanted) {
  PageId end = span->start + span->pages;
  PageCount more = wanted - span->pages;
  PageRun run;
  MutexLock hold(lock_);
  if (!make_room(more, span->state) || !pages_.allocate_at(end, more, run)) {
    return false;
  }
  span->need_zero = span->need_zero || run.need_zero;
  large_bytes_ += more.bytes();
  large_bytes_total_ += more.bytes();
  note_growth(run.unbacked);
  note_manual(span->state, more.value, 0);
  span->pages = wanted;
  fill_tables(span, end);
  span->elem_size = wanted.bytes();
  return true;
}

bool MHeap::shorten(MSpan* span, PageCount wanted) {
  PageCount fewer = span->pages - wanted;
  if (fewer == PageCount(0)) {
    return true;
  }
  PageId new_end = span->start + wanted;
  bool healed = heal_tail(span, wanted);
  bool too_much = false;
  {
    ScavengerWake wake;
    MutexLock hold(lock_);
    if (healed) {
      pages_.note_unbacked(new_end, fewer);
    }
    clear_tables(span, new_end);
    pages_.free(new_end, fewer);
    large_bytes_ -= fewer.bytes();
    note_manual(span->state, 0, fewer.value);
    scavenge_if_due(os::monotonic_ns());
    span->pages = wanted;
    span->elem_size = wanted.bytes();
    wake.wanted = note_idle();
    too_much = wake.wanted && holds_too_much();
  }
  if (too_much) {
    release_excess();
  }
  return true;
}

void MHeap::fit_address_space_limit() {
  MutexLock hold(lock_);
  if (std::optional<PageCount> share = arena_share_of_limit(); share) {
    pages_.drop_empty_tail(*share);
    arena_fit(*share);
  }
}

void MHeap::note_blank(size_t bytes) {
  MutexLock hold(lock_);
  blank_total_ += bytes;
}

MHeap::Figures MHeap::figures() {
  MutexLock hold(lock_);
  Figures f{};
  f.committed = pages_.managed().bytes();
  f.used = pages_.used().bytes();
  f.free_backed = pages_.free_backed().bytes();
  f.released_total = released_pages_total_ * kPageSize + blank_total_;
  f.peak = peak_pages_ * kPageSize;
  f.spans = span_count_;
  f.large_bytes = large_bytes_;
  f.large_mallocs = large_mallocs_;
  f.large_frees = large_frees_;
  f.large_bytes_total = large_bytes_total_;
  return f;
}

void MHeap::verify() {
  MutexLock hold(lock_);
  pages_.verify();
}

}  // namespace burrow::heap
