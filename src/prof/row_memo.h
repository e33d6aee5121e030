// Unwind rows by return address, found once. See prof.h, How 2.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "prof/unwind_row.h"

namespace burrow::prof {

/// A lossy table: two places for each of 4,096 values of the hash. Each entry is one word that
/// holds both the row and all of the key that its place does not tell (the hash can be inverted),
/// so that any number of threads and signal handlers may read and fill it at once.
class RowMemo {
 public:
  /// The packed row at a return address; kMissingRow when it is not here.
  [[nodiscard]] PackedRow find(uintptr_t pc) const {
    uint64_t hash = pc * kMultiplier;
    const Pair& pair = pairs_[place(hash)];
    // Relaxed, here and below: each entry stands alone.
    uint64_t row = pair[0].load(std::memory_order_relaxed) ^ tag(hash);
    if (BURROW_UNLIKELY(!is_row(row))) {
      row = pair[1].load(std::memory_order_relaxed) ^ tag(hash);
      return is_row(row) ? row : kMissingRow;
    }
    return row;
  }

  /// REQUIRES: pc < 2^48, row != 0.
  void add(uintptr_t pc, PackedRow row) {
    uint64_t hash = pc * kMultiplier;
    Pair& pair = pairs_[place(hash)];
    uint64_t old = pair[0].load(std::memory_order_relaxed);
    if (old != 0) {
      pair[1].store(old, std::memory_order_relaxed);
    }
    pair[0].store(tag(hash) | row, std::memory_order_relaxed);
  }

  /// Rises with each clear: what was made from rows of before may be wrong.
  [[nodiscard]] uint32_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  void clear() {
    epoch_.fetch_add(1, std::memory_order_relaxed);
    for (Pair& pair : pairs_) {
      pair[0].store(0, std::memory_order_relaxed);
      pair[1].store(0, std::memory_order_relaxed);
    }
  }

 private:
  using Pair = std::array<std::atomic<uint64_t>, 2>;

  // The low 48 bits of the product determine the low 48 of the address, as the multiplier is odd.
  static constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  static constexpr int kPlaceBits = 12;
  static_assert(48 - kPlaceBits + kPackedRowBits == 64);

  static size_t place(uint64_t hash) { return (hash << 16) >> (64 - kPlaceBits); }

  // Not 0, which an empty place looks like where the tag is 0.
  static bool is_row(uint64_t row) { return row - 1 < (uint64_t{1} << kPackedRowBits) - 1; }

  static uint64_t tag(uint64_t hash) { return hash << kPackedRowBits; }

  std::array<Pair, size_t{1} << kPlaceBits> pairs_{};
  std::atomic<uint32_t> epoch_{0};
};

}  // namespace burrow::prof
