// The collector's flat tables. See tables.h.
#include "gc/tables.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "heap/mspan.h"
#include "os/os.h"

namespace burrow::gc {

constinit Tables g_tables;
constinit std::atomic<uint32_t> g_epoch{0};

namespace {

constexpr size_t kGranulesPerPage = kPageSize >> kGranuleShift;
constexpr size_t kMarkWordsPerPage = kGranulesPerPage / 64;
constexpr size_t kPointerWordsPerPage = kPageSize / sizeof(void*) / 64;

template <typename T>
bool reserve_table(T*& table, size_t count) {
  size_t bytes = round_up(count * sizeof(T), os::kOsPageSize);
  void* memory = os::reserve(bytes, os::kOsPageSize);
  if (memory == nullptr || !os::commit(memory, bytes)) {
    return false;
  }
  table = static_cast<T*>(memory);
  return true;
}

void clear_words(std::atomic<uint64_t>* words, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    // Only where there is something: untouched pages of the table stay untouched.
    if (words[i].load(std::memory_order_relaxed) != 0) {
      words[i].store(0, std::memory_order_relaxed);
    }
  }
}

}  // namespace

bool tables_init() {
  size_t pages = heap::g_arena.page_count;
  return reserve_table(g_tables.entries, pages) &&
         reserve_table(g_tables.marks[0], pages * kMarkWordsPerPage) &&
         reserve_table(g_tables.marks[1], pages * kMarkWordsPerPage) &&
         reserve_table(g_tables.pointers, pages * kPointerWordsPerPage);
}

size_t tables_bytes() {
  if (g_tables.entries == nullptr) {
    return 0;
  }
  size_t words = 2 * kMarkWordsPerPage + kPointerWordsPerPage;
  return heap::arena_committed().value * (sizeof(uint16_t) + words * sizeof(uint64_t));
}

Address large_start(PageId page) {
  const heap::MSpan* span = heap::span_of_page(page);
  return span != nullptr && span->state == heap::SpanState::kCollected ? span->first : 0;
}

size_t large_size(Address start) {
  const heap::MSpan* span = heap::span_of(reinterpret_cast<const void*>(start));
  return span != nullptr && span->state == heap::SpanState::kCollected ? span->elem_size : 0;
}

size_t count_marks(PageId start, PageCount pages) {
  const auto* words = last_marks() + start.value * kMarkWordsPerPage;
  size_t count = 0;
  for (size_t i = 0; i < pages.value * kMarkWordsPerPage; ++i) {
    count += static_cast<size_t>(std::popcount(words[i].load(std::memory_order_relaxed)));
  }
  return count;
}

void clear_marks(PageId start, PageCount pages, uint32_t epoch) {
  clear_words(g_tables.marks[epoch & 1] + start.value * kMarkWordsPerPage,
              pages.value * kMarkWordsPerPage);
}

void clear_tables(PageId start, PageCount pages) {
  clear_marks(start, pages, 0);
  clear_marks(start, pages, 1);
  clear_words(g_tables.pointers + start.value * kPointerWordsPerPage,
              pages.value * kPointerWordsPerPage);
}

void write_long_pointers(Address object, const uint64_t* bitmap, size_t words) {
  size_t at = (object - heap::g_arena.base) / sizeof(void*);
  for (size_t i = 0; i < words;) {
    std::atomic<uint64_t>& word = g_tables.pointers[at / 64];
    size_t shift = at % 64;
    // As many bits as fit the table's word and the bitmap's.
    size_t n = std::min({64 - shift, words - i, 64 - i % 64});
    uint64_t mask = (n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1) << shift;
    uint64_t bits = bitmap[i / 64] >> (i % 64) << shift & mask;
    write_pointer_bits(word, mask, bits);
    at += n;
    i += n;
  }
}

}  // namespace burrow::gc
