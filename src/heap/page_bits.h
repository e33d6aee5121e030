// Bit arithmetic over the 256 pages of a chunk. See page_allocator.h.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace burrow::heap {

/// One bit for each page of a chunk.
class PageBits {
 public:
  static constexpr size_t kWords = kPagesPerChunk / 64;

  [[nodiscard]] bool test(size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }

  void set_range(size_t from, size_t count) {
    for_words(from, count, [this](size_t w, uint64_t mask) { words_[w] |= mask; });
  }

  void clear_range(size_t from, size_t count) {
    for_words(from, count, [this](size_t w, uint64_t mask) { words_[w] &= ~mask; });
  }

  [[nodiscard]] size_t count_range(size_t from, size_t count) const {
    size_t n = 0;
    for_words(from, count, [&](size_t w, uint64_t mask) {
      n += static_cast<size_t>(std::popcount(words_[w] & mask));
    });
    return n;
  }

  [[nodiscard]] size_t count() const { return count_range(0, kPagesPerChunk); }

  /// First bit at or after `from` that is set (or clear); kPagesPerChunk when there is none.
  [[nodiscard]] size_t next_set(size_t from) const { return next(from, 0); }

  [[nodiscard]] size_t next_clear(size_t from) const { return next(from, ~uint64_t{0}); }

  /// Length of the longest run of clear bits.
  [[nodiscard]] size_t longest_clear_run() const {
    size_t best = 0;
    for (size_t i = next_clear(0); i < kPagesPerChunk;) {
      size_t end = next_set(i);
      best = end - i > best ? end - i : best;
      i = next_clear(end);
    }
    return best;
  }

  /// Start of the first run of `count` clear bits; kPagesPerChunk when there is none.
  /// `alignment` is in pages, a power of two.
  [[nodiscard]] size_t find_clear_run(size_t count, size_t alignment) const {
    for (size_t i = next_clear(0); i < kPagesPerChunk;) {
      size_t end = next_set(i);
      size_t start = (i + alignment - 1) & ~(alignment - 1);
      if (start + count <= end) {
        return start;
      }
      i = next_clear(end);
    }
    return kPagesPerChunk;
  }

  PageBits operator&(const PageBits& o) const {
    PageBits r;
    for (size_t w = 0; w < kWords; ++w) {
      r.words_[w] = words_[w] & o.words_[w];
    }
    return r;
  }

  PageBits operator~() const {
    PageBits r;
    for (size_t w = 0; w < kWords; ++w) {
      r.words_[w] = ~words_[w];
    }
    return r;
  }

 private:
  template <typename F>
  static void for_words(size_t from, size_t count, F f) {
    size_t end = from + count;
    while (from < end) {
      size_t low = from % 64;
      size_t n = end - from < 64 - low ? end - from : 64 - low;
      uint64_t mask = (n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1) << low;
      f(from / 64, mask);
      from += n;
    }
  }

  [[nodiscard]] size_t next(size_t from, uint64_t flip) const {
    while (from < kPagesPerChunk) {
      uint64_t rest = (words_[from / 64] ^ flip) >> (from % 64);
      if (rest != 0) {
        return from + static_cast<size_t>(std::countr_zero(rest));
      }
      from = (from / 64 + 1) * 64;
    }
    return kPagesPerChunk;
  }

  std::array<uint64_t, kWords> words_{};
};

}  // namespace burrow::heap
