// Figures as pprof prints them.
#include "units.h"

#include <gtest/gtest.h>

namespace burrow::cmd {
namespace {

TEST(Units, AreScaled) {
  EXPECT_EQ(scaled_label(0, "bytes", "auto"), "0");
  EXPECT_EQ(scaled_label(1, "bytes", "auto"), "1B");
  EXPECT_EQ(scaled_label(1023, "bytes", "auto"), "1023B");
  EXPECT_EQ(scaled_label(1024, "bytes", "auto"), "1kB");
  EXPECT_EQ(scaled_label(1536, "bytes", "MB"), "0");
  EXPECT_EQ(scaled_label(1572864, "bytes", "auto"), "1.50MB");
  EXPECT_EQ(scaled_label(-1572864, "bytes", "auto"), "-1.50MB");
  EXPECT_EQ(scaled_label(int64_t{5} << 40, "bytes", "GB"), "5120GB");
  EXPECT_EQ(scaled_label(1'500'000, "nanoseconds", "auto"), "1.50ms");
  EXPECT_EQ(scaled_label(12, "count", "auto"), "12");
  EXPECT_EQ(scaled_label(12, "apples", "MB"), "12");
  EXPECT_NE(scaled_label(INT64_MIN, "bytes", "auto"), "");
}

TEST(Units, OneForATable) {
  EXPECT_EQ(table_unit(1, 100, "bytes"), "B");
  EXPECT_EQ(table_unit(2048, 1 << 20, "bytes"), "kB");
  EXPECT_EQ(table_unit(1, 1 << 30, "bytes"), "B");     // 1 would not be seen in kB
  EXPECT_EQ(table_unit(100, 1 << 30, "bytes"), "kB");  // 100 is 0.10 kB
  EXPECT_EQ(table_unit(0, 1 << 30, "bytes"), "GB");    // no row has anything
  EXPECT_EQ(table_unit(1, 1 << 30, "count"), "count");
}

TEST(Units, Percentages) {
  EXPECT_EQ(percentage(1, 0), "    0%");
  EXPECT_EQ(percentage(0, 10), "    0%");
  EXPECT_EQ(percentage(10, 10), "  100%");
  EXPECT_EQ(percentage(-10, 10), "  100%");
  EXPECT_EQ(percentage(1, 3), "33.33%");
  EXPECT_EQ(percentage(1, 300), " 0.33%");
  EXPECT_EQ(percentage(1, 1'000'000), "0.0001%");
}

TEST(Units, BelongTogether) {
  EXPECT_TRUE(is_unit_of("auto", "count"));
  EXPECT_TRUE(is_unit_of("MB", "bytes"));
  EXPECT_TRUE(is_unit_of("mb", "bytes"));
  EXPECT_FALSE(is_unit_of("MB", "count"));
  EXPECT_FALSE(is_unit_of("ms", "bytes"));
  EXPECT_FALSE(is_unit_of("", "bytes"));
}

}  // namespace
}  // namespace burrow::cmd
