// fmt, header only: numbers, text, containers, errors.
#define FMT_HEADER_ONLY
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <vector>

int main() {
  fmt::memory_buffer out;
  for (int n = 0; n < 200; ++n) {
    std::vector<double> values(n % 9, n / 7.0);
    std::map<std::string, int> names{{fmt::format("key{}", n), n}, {std::string(n, 'x'), -n}};
    fmt::format_to(std::back_inserter(out), "{:>{}} {:x} {:#b} {:+.3e} {} {}\n", n, n % 40, n, n,
                   n * 1.7, values, names);
  }
  try {
    fmt::format_to(std::back_inserter(out), fmt::runtime("{:d}"), "text");
  } catch (const fmt::format_error& error) {
    fmt::format_to(std::back_inserter(out), "{}\n", error.what());
  }
  fmt::print("{}", fmt::to_string(out));
}
