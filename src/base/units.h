// Unit types: pages, page numbers and size classes cannot be mixed up. See base.h.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace burrow {

/// An address as a number.
using Address = uintptr_t;

/// Go's page: 8 KiB, whatever the hardware's page is.
inline constexpr size_t kPageShift = 13;
inline constexpr size_t kPageSize = size_t{1} << kPageShift;
/// A chunk is one huge page of the hardware: 2 MiB, 256 pages.
inline constexpr size_t kChunkShift = 21;
inline constexpr size_t kChunkSize = size_t{1} << kChunkShift;
inline constexpr size_t kPagesPerChunk = kChunkSize / kPageSize;

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;
inline constexpr size_t kGiB = 1024 * kMiB;
inline constexpr size_t kTiB = 1024 * kGiB;

/// A number of pages.
struct PageCount {
  size_t value = 0;

  constexpr PageCount() = default;

  explicit constexpr PageCount(size_t v) : value(v) {}

  /// The pages that hold `bytes`, rounded up.
  static constexpr PageCount for_bytes(size_t bytes) {
    return PageCount((bytes + kPageSize - 1) >> kPageShift);
  }

  [[nodiscard]] constexpr size_t bytes() const { return value << kPageShift; }

  constexpr auto operator<=>(const PageCount&) const = default;

  constexpr PageCount operator+(PageCount o) const { return PageCount(value + o.value); }

  constexpr PageCount operator-(PageCount o) const { return PageCount(value - o.value); }

  constexpr PageCount& operator+=(PageCount o) {
    value += o.value;
    return *this;
  }

  constexpr PageCount& operator-=(PageCount o) {
    value -= o.value;
    return *this;
  }
};

/// A page's number counted from the start of the arena.
struct PageId {
  size_t value = 0;

  constexpr PageId() = default;

  explicit constexpr PageId(size_t v) : value(v) {}

  constexpr auto operator<=>(const PageId&) const = default;

  constexpr PageId operator+(PageCount n) const { return PageId(value + n.value); }

  constexpr PageId operator-(PageCount n) const { return PageId(value - n.value); }

  constexpr PageCount operator-(PageId o) const { return PageCount(value - o.value); }

  [[nodiscard]] constexpr size_t chunk() const { return value / kPagesPerChunk; }

  [[nodiscard]] constexpr size_t index_in_chunk() const { return value % kPagesPerChunk; }
};

/// The number of a size class: 0 is "no class" (large, foreign or special), 1.. are real.
struct SizeClass {
  uint8_t value = 0;

  constexpr SizeClass() = default;

  explicit constexpr SizeClass(size_t v) : value(static_cast<uint8_t>(v)) {}

  constexpr auto operator<=>(const SizeClass&) const = default;

  explicit constexpr operator bool() const { return value != 0; }
};

}  // namespace burrow
