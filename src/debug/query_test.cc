// Queries are read as Go reads them.
#include "debug/query.h"

#include <gtest/gtest.h>

namespace burrow::debug {
namespace {

TEST(Query, FirstValueCounts) {
  EXPECT_EQ(query_value("seconds=5&debug=1&seconds=6", "seconds"), "5");
  EXPECT_EQ(query_value("seconds=5&debug=1", "debug"), "1");
  EXPECT_EQ(query_value("seconds=5", "second"), "");
  EXPECT_EQ(query_value("xseconds=5", "seconds"), "");
  EXPECT_EQ(query_value("", "seconds"), "");
  EXPECT_EQ(query_value("&&=&seconds", "seconds"), "");
  EXPECT_EQ(query_value("a=b=c", "a"), "b=c");
}

TEST(Query, EscapesAreDecoded) {
  EXPECT_EQ(query_value("%73econds=%31%30", "seconds"), "10");
  EXPECT_EQ(query_value("a=x+y%2Bz", "a"), "x y+z");
  // What cannot be decoded is passed over, and the next one counts.
  EXPECT_EQ(query_value("a=%zz&a=2", "a"), "2");
  EXPECT_EQ(query_value("a=%4", "a"), "");
  EXPECT_EQ(query_value("a=%", "a"), "");
}

TEST(Query, Paths) {
  EXPECT_EQ(percent_decode("/debug/%70prof/"), "/debug/pprof/");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%e2%82%ac"), "\xe2\x82\xac");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%1"), std::nullopt);
  EXPECT_EQ(percent_decode("%g1"), std::nullopt);
}

TEST(Query, Numbers) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("+17"), 17);
  EXPECT_EQ(parse_int("-3"), -3);
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  for (const char* text :
       {"", "+", "-", "+-1", "1 ", " 1", "1.0", "1s", "0x10", "1e3", "9223372036854775808"}) {
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace burrow::debug
