// Blocks of a span. See mspan.h.
#include "heap/mspan.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "heap/report.h"

namespace burrow::heap {

void MSpan::init_blocks(SizeClass c, SpanState new_state) {
  const ClassInfo& info = class_info(c);
  size_class = c;
  elem_size = info.size;
  first = address_of(start);
  elem_count = info.capacity;
  fresh = 0;
  free_count = 0;
  state = new_state;
  std::memset(free_bits(), 0, bit_words(elem_count) * sizeof(uint64_t));
  // What is left at the end is no block, though `free` may take its start for one: marked as free,
  // it sends free to the slow path, which knows.
  if (Address tail = first + elem_count * elem_size; tail < limit()) {
    *reinterpret_cast<uintptr_t*>(tail) = free_mark(reinterpret_cast<void*>(tail));
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
      out[n++] = block(word * 64 + bit);
    }
  }
  while (fresh < elem_count && n < wanted) {
    void* p = block(fresh++);
    *static_cast<uintptr_t*>(p) = free_mark(p);
    out[n++] = p;
  }
  return n;
}

void MSpan::put_back(void* p) {
  ptrdiff_t index = index_of_start(p);
  if (index < 0 || static_cast<size_t>(index) >= fresh) {
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
  CHECK(fresh <= elem_count);
  size_t set = 0;
  for (size_t i = 0; i < bit_words(elem_count); ++i) {
    set += static_cast<size_t>(std::popcount(free_bits()[i]));
  }
  CHECK(set == free_count && free_count <= fresh);
  for (size_t i = 0; i < fresh; ++i) {
    if ((free_bits()[i / 64] >> (i % 64) & 1) != 0) {
      const void* p = block(i);
      if (*static_cast<const uintptr_t*>(p) != free_mark(p)) {
        report_write_after_free(p);
      }
    }
  }
}

}  // namespace burrow::heap
