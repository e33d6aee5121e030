// Messages without allocation: numbers, truncation, one write. See printer.h.
#include "base/printer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace burrow {
namespace {

TEST(Printer, PrintsNumbersToTheirLimits) {
  FixedPrinter<256> out;
  out << 0 << ' ' << -1 << ' ' << INT64_MIN << ' ' << INT64_MAX << ' ' << UINT64_MAX << ' '
      << Hex(uint64_t{0}) << ' ' << Hex(UINT64_MAX) << ' ' << reinterpret_cast<void*>(0x1234abcd);
  EXPECT_EQ(out.text(),
            "0 -1 -9223372036854775808 9223372036854775807 18446744073709551615 0x0 "
            "0xffffffffffffffff 0x1234abcd");
  EXPECT_FALSE(out.truncated());
}

TEST(Printer, CutsOffWhatDoesNotFitAndSaysSo) {
  FixedPrinter<8> out;
  out << "1234567";
  EXPECT_FALSE(out.truncated());
  out << "89";
  EXPECT_TRUE(out.truncated());
  EXPECT_EQ(out.text(), "12345678");
  out << UINT64_MAX;
  EXPECT_EQ(out.text(), "12345678");
  out.clear();
  EXPECT_FALSE(out.truncated());
  out << 42;
  EXPECT_EQ(out.text(), "42");
}

TEST(Printer, WritesAllOfItAndKeepsErrno) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  FixedPrinter<64> out;
  out << "a line\n";
  errno = 4711;
  out.write_to(ends[1]);
  out.write_to(-1);
  EXPECT_EQ(errno, 4711);
  char buffer[64];
  ssize_t n = read(ends[0], buffer, sizeof buffer);
  EXPECT_EQ(std::string(buffer, static_cast<size_t>(n)), "a line\n");
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace burrow
