// exp and log against the C library's.
#include "prof/math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>

namespace burrow::prof {
namespace {

TEST(Math, NaturalLog) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    double x = std::exp(std::uniform_real_distribution<double>(-40, 40)(random));
    ASSERT_NEAR(natural_log(x), std::log(x), 1e-12 * std::abs(std::log(x))) << x;
  }
  EXPECT_EQ(natural_log(1), 0);
}

TEST(Math, QuickLogOfTheNumbersThatAreDrawn) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 100'000; ++i) {
    double u = static_cast<double>((random() >> 11) + 1) * 0x1p-53;
    ASSERT_NEAR(quick_log(u), std::log(u), 1e-9) << u;
  }
  for (uint64_t part = 0; part <= 32; ++part) {  // where the parts meet
    double at = 1 + static_cast<double>(part) / 32;
    for (double x : {std::nextafter(at, 0.0), at, std::nextafter(at, 3.0), at * 0x1p-53}) {
      ASSERT_NEAR(quick_log(x), std::log(x), 1e-9) << x;
    }
  }
}

TEST(Math, OneMinusExp) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    double x = std::exp(std::uniform_real_distribution<double>(-30, 7)(random));
    ASSERT_NEAR(one_minus_exp(x), -std::expm1(-x), -1e-12 * std::expm1(-x)) << x;
  }
  EXPECT_EQ(one_minus_exp(0), 0);
}

}  // namespace
}  // namespace burrow::prof
