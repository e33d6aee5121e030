// Blocks of a span. See mspan.h.
#include "heap/mspan.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "heap/faults.h"
#include "heap/mcache_layout.h"
#include "heap/report.h"

namespace burrow::heap {

void MSpan::init_blocks(SizeClass c, SpanState new_state) {
  const ClassInfo& info = class_info(c);
  size_class = c;
  elem_size = info.size;
  first = address_of(start);
  elem_count = info.capacity;
  fresh.store(0, std::memory_order_relaxed);
  marked = 0;
  free_count = 0;
  blank = 0;
  state = new_state;
  std::memset(free_bits(), 0, bit_words(elem_count) * sizeof(uint64_t));
}

// Lets the next page be used, the one in which block `marked` starts. All blocks that start in it
// get their marks, also those that are not wanted yet, and only then does the page get its entry:
// a free of a block that was never handed out meets a mark, or a page without an entry. Either way
// it comes to the slow path, which asks `fresh`. The rest of the span's end is no block, though a
// free may take its start for one, so it gets a mark too.
void MSpan::open_page() {
  size_t page = marked * elem_size >> kPageShift;
  size_t count = elem_count + ((first + elem_count * elem_size) < limit() ? 1 : 0);
  while (marked < count && marked * elem_size >> kPageShift == page) {
    void* p = block(marked++);
    if (!g_faults.no_marks_ahead) {
      *static_cast<uintptr_t*>(p) = free_mark(p);
    }
  }
  if (state == SpanState::kSmall) {
    g_arena.page_entries[start.value + page].store(page_entry(size_class, page),
                                                   std::memory_order_relaxed);
  }
}

size_t MSpan::take(void** out, size_t wanted) {
  size_t n = 0;
  uint64_t* bits = free_bits();
  for (size_t word = 0; free_count > 0 && n < wanted; ++word) {
    while (bits[word] != 0 && n < wanted) {
      size_t bit = static_cast<size_t>(std::countr_zero(bits[word]));
      bits[word] &= bits[word] - 1;
      --free_count;
      if (blank != 0) {
        reopen_block(word * 64 + bit);
      }
      out[n++] = block(word * 64 + bit);
    }
  }
  size_t at = fresh_index();
  while (at < elem_count && n < wanted) {
    if (at >= marked) {
      open_page();
    }
    void* p = block(at++);
    if (g_faults.no_marks_ahead) {
      *static_cast<uintptr_t*>(p) = free_mark(p);
    }
    out[n++] = p;
  }
  fresh.store(static_cast<uint16_t>(at), std::memory_order_relaxed);
  return n;
}

void MSpan::put_back(void* p) {
  ptrdiff_t index = index_of_known(p);
  if (index < 0) {
    report_invalid_free(p);
  }
  if (*static_cast<uintptr_t*>(p) != free_mark(p)) {
    report_write_after_free(p);
  }
  uint64_t& word = free_bits()[index / 64];
  uint64_t bit = uint64_t{1} << (index % 64);
  if ((word & bit) != 0) {
    report_double_free(p);
  }
  word |= bit;
  ++free_count;
}

void MSpan::verify() const {
  CHECK(pages.value > 0 && address_of(start) >= g_arena.base);
  CHECK(span_of_page(start) == this);
  CHECK(span_around(PageId(start.value + pages.value - 1)) == this);
  if (state != SpanState::kSmall && state != SpanState::kSampled) {
    CHECK(elem_count == 1 && !size_class);
    return;
  }
  CHECK(elem_size == class_info(size_class).size && elem_count > 0);
  CHECK(first >= address_of(start) && first + elem_count * elem_size <= limit());
  CHECK(fresh_index() <= elem_count && fresh_index() <= marked && marked <= elem_count + 1);
  size_t set = 0;
  for (size_t i = 0; i < bit_words(elem_count); ++i) {
    set += static_cast<size_t>(std::popcount(free_bits()[i]));
  }
  CHECK(set == free_count && free_count <= fresh_index());
  for (size_t i = 0; i < elem_count; ++i) {
    if (is_free_and_marked(i) && !is_marked(block(i))) {
      report_write_after_free(block(i));
    }
  }
}

}  // namespace burrow::heap
