// Pages inside spans in use that go back to the OS. See mheap.h, "Scavenger", and mspan.h.
//
// A program frees nearly all of its small blocks, and the few that it keeps hold their spans. The
// OS's pages (half of ours) in which no block is out go back one by one. Their free blocks lose
// their marks, so three things stand in for these while a page is blank:
//  - our page has no entry, so each free into it takes the slow path;
//  - the slow path asks `is_blank`: a free of a block there is a double free;
//  - `take` writes the marks anew before it hands out the first block, and a word that is not zero
//    by then was written after free.
// All blocks that overlap a blank page are in the span. The MCentral's lock is held throughout, so
// that this stays so.
#include <bit>

#include "heap/faults.h"
#include "heap/mcache_layout.h"
#include "heap/mspan.h"
#include "heap/report.h"

namespace burrow::heap {
namespace {

constexpr size_t kPage = os::kOsPageSize;
constexpr size_t kParts = kPageSize / kPage;
constexpr uint32_t kAllParts = (1U << kParts) - 1;

constexpr uint32_t page_mask(size_t from, size_t to) {
  return static_cast<uint32_t>(((uint64_t{1} << (to - from)) - 1) << from);
}

}  // namespace

void MSpan::set_blank(uint32_t mask) {
  // Relaxed: `free` reads it without the lock, see is_blank.
  std::atomic_ref(blank).store(mask, std::memory_order_relaxed);
}

// The pages that only blocks overlap that came back. Where no block was handed out yet nothing was
// touched.
uint32_t MSpan::whole_free_pages() const {
  size_t end = fresh_index() * elem_size / kPage;
  uint32_t mask = page_mask(0, end);
  for (size_t i = 0; i < fresh_index(); ++i) {
    if ((free_bits()[i / 64] >> (i % 64) & 1) == 0) {
      mask &= ~page_mask(i * elem_size / kPage, ((i + 1) * elem_size - 1) / kPage + 1);
    }
  }
  return mask;
}

size_t MSpan::release_pages() {
  uint32_t mask = whole_free_pages() & ~blank;
  set_blank(blank | mask);
  for (uint32_t left = mask; left != 0;) {
    auto at = static_cast<size_t>(std::countr_zero(left));
    auto count = static_cast<size_t>(std::countr_one(left >> at));
    for (size_t part = at; part < at + count && !g_faults.blank_entries; ++part) {
      g_arena.page_entries[start.value + part / kParts].store(0, std::memory_order_relaxed);
    }
    uint32_t run = page_mask(at, at + count);
    if (!os::release(reinterpret_cast<void*>(first + at * kPage), count * kPage)) {
      // Locked memory, say: it is as it was, or zero.
      for (size_t i = (at * kPage + elem_size - 1) / elem_size;
           i < marked && i * elem_size < (at + count) * kPage; ++i) {
        *static_cast<uintptr_t*>(block(i)) = 0;
      }
      reopen(run);
      mask &= ~run;
    }
    left &= ~run;
  }
  return static_cast<size_t>(std::popcount(mask));
}

void MSpan::reopen(uint32_t mask) {
  for (uint32_t left = mask & blank; left != 0; left &= left - 1) {
    auto page = static_cast<size_t>(std::countr_zero(left));
    for (size_t i = (page * kPage + elem_size - 1) / elem_size;
         i < marked && i * elem_size < (page + 1) * kPage; ++i) {
      auto* word = static_cast<uintptr_t*>(block(i));
      if (*word != 0) {
        report_write_after_free(word);
      }
      *word = free_mark(word);
    }
    set_blank(blank & ~(1U << page));
    size_t ours = page / kParts;
    if ((blank >> (ours * kParts) & kAllParts) == 0) {
      g_arena.page_entries[start.value + ours].store(page_entry(size_class, ours),
                                                     std::memory_order_relaxed);
    }
  }
}

void MSpan::reopen_block(size_t index) {
  reopen(page_mask(index * elem_size / kPage, ((index + 1) * elem_size - 1) / kPage + 1));
}

}  // namespace burrow::heap
