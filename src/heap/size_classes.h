// The size-class table: which block a request takes, and how spans of it are cut. See mheap.h.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bits.h"
#include "base/units.h"

namespace burrow::heap {

/// Largest size with a class of its own; more goes to MHeap in whole pages.
inline constexpr size_t kMaxSmallSize = 32 * kKiB;
/// Up to here the class is looked up in steps of 8 bytes, beyond in steps of 128.
inline constexpr size_t kMaxTinySize = 1024;
/// A span of blocks has at most this many pages.
inline constexpr size_t kMostSpanPages = 16;
/// Multiples of 16 B up to 128 B, so that every block is aligned as glibc's are; from there on
/// eight classes a doubling: at most 1/9 of a block is lost to rounding.
inline constexpr size_t kNumClasses = 1 + 8 + 8 * 8;

/// One size class. Index 0 of the table is "no class" and all zero.
struct ClassInfo {
  uint32_t size = 0;      ///< bytes of a block
  uint16_t pages = 0;     ///< pages of a span
  uint16_t capacity = 0;  ///< most blocks that fit in a span
  uint16_t magazine = 0;  ///< blocks a magazine holds (see magazine.h)
  uint64_t inverse = 0;   ///< ceil(2^64 / size), see `is_multiple`
  uint32_t divider = 0;   ///< ceil(2^32 / size), see `block_index`
};

namespace internal {

consteval uint32_t class_size(size_t index) {
  if (index <= 8) {
    return static_cast<uint32_t>(index * 16);
  }
  size_t doubling = (index - 9) / 8;
  size_t step = (index - 9) % 8 + 1;
  return static_cast<uint32_t>((size_t{128} << doubling) + step * (size_t{16} << doubling));
}

/// Fewest pages that waste at most 1/32 of the span at its end; the best otherwise.
consteval uint16_t span_pages(uint32_t size) {
  if (size <= 256) {
    return size <= 64 ? 1 : 2;
  }
  size_t best = 1;
  size_t best_waste_permille = 1000;
  for (size_t pages = 1; pages <= kMostSpanPages; ++pages) {
    size_t bytes = pages * kPageSize;
    size_t permille = bytes < size ? 1000 : bytes % size * 1000 / bytes;
    if (permille < best_waste_permille) {
      best = pages;
      best_waste_permille = permille;
    }
    if (permille <= 31) {
      break;
    }
  }
  return static_cast<uint16_t>(best);
}

/// Magazines hold 32 KiB of blocks, but at least 8 and at most 64 blocks; 128 of the smallest.
consteval uint16_t magazine_blocks(uint32_t size) {
  size_t n = 32 * kKiB / size;
  size_t most = size <= 64 ? 128 : 64;
  return static_cast<uint16_t>(n < 8 ? 8 : n > most ? most : n);
}

consteval std::array<ClassInfo, kNumClasses> make_classes() {
  std::array<ClassInfo, kNumClasses> table{};
  for (size_t i = 1; i < kNumClasses; ++i) {
    ClassInfo& c = table[i];
    c.size = class_size(i);
    c.pages = span_pages(c.size);
    c.capacity = static_cast<uint16_t>(c.pages * kPageSize / c.size);
    c.magazine = magazine_blocks(c.size);
    c.inverse = ~uint64_t{0} / c.size + 1;
    c.divider = static_cast<uint32_t>((uint64_t{1} << 32) / c.size + 1);
  }
  return table;
}

}  // namespace internal

/// The table itself; `burrow classes` prints it.
inline constexpr std::array<ClassInfo, kNumClasses> kClasses = internal::make_classes();

/// The table's line for a class.
constexpr const ClassInfo& class_info(SizeClass c) {
  return kClasses[c.value];
}

/// Index into `kTinyClassOf` for a size up to kMaxTinySize: steps of 8 bytes.
constexpr size_t tiny_index(size_t size) {
  return (size + 7) >> 3;
}

/// Index into `kMediumClassOf` for a size above kMaxTinySize: steps of 128 bytes.
constexpr size_t medium_index(size_t size) {
  return (size + 127) >> 7;
}

namespace internal {

template <size_t N, size_t Step>
consteval std::array<uint8_t, N> make_class_of() {
  std::array<uint8_t, N> table{};
  size_t c = 1;
  for (size_t i = 0; i < N; ++i) {
    while (kClasses[c].size < i * Step) {
      ++c;
    }
    table[i] = static_cast<uint8_t>(c);
  }
  return table;
}

}  // namespace internal

inline constexpr auto kTinyClassOf = internal::make_class_of<tiny_index(kMaxTinySize) + 1, 8>();
inline constexpr auto kMediumClassOf =
    internal::make_class_of<medium_index(kMaxSmallSize) + 1, 128>();

/// The class of a request. REQUIRES: size <= kMaxSmallSize.
constexpr SizeClass class_for(size_t size) {
  return SizeClass(size <= kMaxTinySize ? kTinyClassOf[tiny_index(size)]
                                        : kMediumClassOf[medium_index(size)]);
}

/// The class whose blocks are all aligned to `alignment`, or "no class" when only whole pages can
/// serve. REQUIRES: alignment is a power of two.
constexpr SizeClass class_for_aligned(size_t size, size_t alignment) {
  if (size > kMaxSmallSize || alignment > kPageSize) {
    return SizeClass();
  }
  size_t index = class_for(size < alignment ? alignment : size).value;
  while (index < kNumClasses && kClasses[index].size % alignment != 0) {
    ++index;
  }
  return index < kNumClasses ? SizeClass(index) : SizeClass();
}

/// True when `offset` (below 2^32) is a multiple of the class's size. Lemire, Kaser, Kurz, "Faster
/// remainder by direct computation", 2019, with 64 fraction bits: exact because
/// offset * (inverse * size - 2^64) < 2^32 * 2^15 stays below `inverse`, which is at least 2^49.
constexpr bool is_multiple(uint64_t offset, const ClassInfo& info) {
  return offset * info.inverse < info.inverse;
}

/// Number of the block that holds the byte at `offset` of a span's first block.
/// Exact for offsets below 2^17: the error offset / 2^32 stays below 1 / size.
constexpr size_t block_index(size_t offset, const ClassInfo& info) {
  return offset * info.divider >> 32;
}

namespace internal {

consteval bool classes_are_sound() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    const ClassInfo& c = kClasses[i];
    bool aligned = c.size % 16 == 0;
    bool rising = c.size > kClasses[i - 1].size;
    bool lean = c.size <= 128 || (c.size - kClasses[i - 1].size - 1) * 8 <= c.size;
    bool fits = c.capacity >= 1 && c.pages <= kMostSpanPages;
    if (!aligned || !rising || !lean || !fits || !is_multiple(uint64_t{c.size} * 12345, c) ||
        is_multiple(uint64_t{c.size} * 12345 + 1, c)) {
      return false;
    }
  }
  return true;
}

/// Both directions: every size gets the smallest class that holds it.
consteval bool lookup_is_sound() {
  for (size_t size = 0; size <= kMaxSmallSize; size += size < kMaxTinySize ? 1 : 61) {
    SizeClass c = class_for(size);
    if (kClasses[c.value].size < size || (c.value > 1 && kClasses[c.value - 1].size >= size)) {
      return false;
    }
  }
  return true;
}

}  // namespace internal

static_assert(kClasses[kNumClasses - 1].size == kMaxSmallSize);
static_assert(class_for(24).value == class_for(32).value &&
              class_for(1).value == class_for(16).value);
static_assert(internal::classes_are_sound());
static_assert(internal::lookup_is_sound());

}  // namespace burrow::heap
