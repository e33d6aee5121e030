// Rounding and power-of-two arithmetic. See base.h.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>

namespace burrow {

/// REQUIRES: `align` is a power of two and the sum does not overflow.
template <std::unsigned_integral T>
constexpr T round_up(T value, T align) {
  return (value + align - 1) & ~(align - 1);
}

/// REQUIRES: `align` is a power of two.
template <std::unsigned_integral T>
constexpr T round_down(T value, T align) {
  return value & ~(align - 1);
}

template <std::unsigned_integral T>
constexpr bool is_power_of_two(T value) {
  return std::has_single_bit(value);
}

/// Rounds up to a multiple of any `step`, power of two or not.
template <std::unsigned_integral T>
constexpr T round_up_to_multiple(T value, T step) {
  return (value + step - 1) / step * step;
}

}  // namespace burrow
