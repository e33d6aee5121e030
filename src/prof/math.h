// exp and log without libm, which the preload does not load. See prof.h.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace burrow::prof {

/// 1/k: a division would take longer than the rest of a term.
inline constexpr std::array<double, 20> kReciprocal = [] {
  std::array<double, 20> table{};
  for (int k = 1; k < 20; ++k) {
    table[static_cast<size_t>(k)] = 1.0 / k;
  }
  return table;
}();

/// Natural logarithm, relative error below 1e-12. REQUIRES: x > 0 and normal. `quick_log` is made
/// from it.
constexpr double natural_log(double x) {
  auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFF) | uint64_t{1023} << 52);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  // ln m = 2 artanh s with s = (m - 1) / (m + 1), |s| < 0.172.
  double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int k = 19; k > 0; k -= 2) {
    sum = sum * (s * s) + kReciprocal[static_cast<size_t>(k)];
  }
  sum *= s;
  return 2 * sum + exponent * 0.6931471805599453;
}

/// The middles of 32 equal parts of [1, 2): 1/middle, and its logarithm.
struct LogPart {
  double reciprocal;
  double log;
};

inline constexpr std::array<LogPart, 32> kLogParts = [] {
  std::array<LogPart, 32> parts{};
  for (size_t i = 0; i < parts.size(); ++i) {
    double middle = 1 + (static_cast<double>(i) + 0.5) / 32;
    parts[i] = {1 / middle, natural_log(middle)};
  }
  return parts;
}();

/// Natural logarithm, absolute error below 1e-9: enough for random distances, in a fifth of the
/// time. REQUIRES: x > 0 and normal.
constexpr double quick_log(double x) {
  auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFF) | uint64_t{1023} << 52);
  const LogPart& part = kLogParts[bits >> 47 & 31];
  double r = m * part.reciprocal - 1;  // |r| <= 1/64
  double series = (r - r * r / 2) + r * r * r * (1.0 / 3 - r / 4);
  return exponent * 0.6931471805599453 + part.log + series;
}

/// 1 - exp(-x), relative error below 1e-12. REQUIRES: x >= 0.
constexpr double one_minus_exp(double x) {
  if (x > 700) {
    return 1;
  }
  // exp(-x) - 1 by its series for x / 2^k <= 1/2, then doubled k times: e2 = e (2 + e).
  int doublings = 0;
  while (x > 0.5) {
    x /= 2;
    ++doublings;
  }
  double term = -x;
  double e = 0;
  for (int k = 2; k < 20; ++k) {
    e += term;
    term *= -x / k;
  }
  for (; doublings > 0; --doublings) {
    e = e * (2 + e);
  }
  return -e;
}

}  // namespace burrow::prof
