// How much a slice grows. Not for users: see slice.h.
#pragma once

#include <cstddef>

namespace burrow::internal {

/// Go's growslice without the rounding: room for `needed` elements where there was room for
/// `capacity`. Twice as much up to 256, from there on less and less, toward 1.25 times.
/// REQUIRES: both are at most PTRDIFF_MAX, and needed > capacity.
constexpr size_t grown_capacity(size_t capacity, size_t needed) {
  constexpr size_t kThreshold = 256;
  if (needed > capacity * 2) {
    return needed;
  }
  if (capacity < kThreshold) {
    return capacity * 2;
  }
  size_t grown = capacity;
  while (grown < needed) {
    grown += (grown + 3 * kThreshold) / 4;
  }
  return grown;
}

}  // namespace burrow::internal
