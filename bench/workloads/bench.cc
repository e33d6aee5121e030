// See bench.h.
#include "bench.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace burrow::bench {

namespace {

constexpr std::size_t kPageBytes = 4096;

double clock_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void bad_usage(std::string_view argument, const std::vector<Option>& known) {
  std::fprintf(stderr, "bad argument '%.*s'; give name=value with one of:",
               static_cast<int>(argument.size()), argument.data());
  for (const Option& option : known) {
    std::fprintf(stderr, " %.*s=%.*s", static_cast<int>(option.name.size()), option.name.data(),
                 static_cast<int>(option.fallback.size()), option.fallback.data());
  }
  std::fputc('\n', stderr);
  std::_Exit(2);
}

}  // namespace

Options::Options(int argc, char** argv, std::initializer_list<Option> known) : values_(known) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    bool found = false;
    for (Option& option : values_) {
      if (equals != std::string_view::npos && option.name == argument.substr(0, equals)) {
        option.fallback = argument.substr(equals + 1);
        found = true;
      }
    }
    if (!found) {
      bad_usage(argument, values_);
    }
  }
}

std::string_view Options::text(std::string_view name) const {
  for (const Option& option : values_) {
    if (option.name == name) {
      return option.fallback;
    }
  }
  fail("the workload asks for an option that it does not declare");
}

std::size_t Options::number(std::string_view name) const {
  const std::string_view digits = text(name);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const std::string_view suffix(end, static_cast<std::size_t>(digits.end() - end));
  const std::size_t unit = suffix.empty() ? 0 : std::string_view("KMG").find(suffix);
  if (error != std::errc{} || suffix.size() > 1 || unit == std::string_view::npos) {
    bad_usage(digits, values_);
  }
  return suffix.empty() ? value : value << (10 * (unit + 1));
}

Stopwatch::Stopwatch()
    : wall_start_(clock_seconds(CLOCK_MONOTONIC)),
      cpu_start_(clock_seconds(CLOCK_PROCESS_CPUTIME_ID)) {}

double Stopwatch::wall_seconds() const {
  return clock_seconds(CLOCK_MONOTONIC) - wall_start_;
}

double Stopwatch::cpu_seconds() const {
  return clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start_;
}

std::size_t Random::log_uniform(std::size_t low, std::size_t high) {
  std::size_t doublings = 0;
  while ((low << (doublings + 1)) <= high) {
    ++doublings;
  }
  const std::size_t base = low << below(doublings + 1);
  const std::size_t limit = base * 2 - 1 < high ? base * 2 - 1 : high;
  return base + below(limit - base + 1);
}

SizeRing::SizeRing(std::size_t low, std::size_t high, std::uint64_t seed) : sizes_{} {
  Random random(seed);
  const std::size_t range = high - low + 1;
  const std::size_t quarter = range / 4 + 1;
  for (std::uint32_t& size : sizes_) {
    const std::size_t span = random.below(3) < 2 ? quarter : range;
    size = static_cast<std::uint32_t>(low + random.below(span < range ? span : range));
  }
}

void touch_pages(void* block, std::size_t size) {
  auto* bytes = static_cast<volatile char*>(block);
  for (std::size_t at = 0; at < size; at += kPageBytes) {
    bytes[at] = 1;
  }
}

void* must_malloc(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) {
    fail("malloc returned null; give the workload smaller sizes or the machine more memory");
  }
  touch(block);
  return block;
}

void fail(const char* message) {
  std::fprintf(stderr, "%s\n", message);
  std::_Exit(1);
}

std::size_t resident_kib() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) {
    return 0;
  }
  char line[128] = {};
  const char* read = std::fgets(line, sizeof line, file);
  std::fclose(file);
  const char* second = read == nullptr ? nullptr : std::strchr(line, ' ');
  if (second == nullptr) {
    return 0;
  }
  const auto page_kib = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
  return std::strtoull(second, nullptr, 10) * page_kib;
}

Report::Report(std::string_view name) : line_("{\"workload\":\"") {
  line_.append(name).append("\"");
}

void Report::add(std::string_view key, double value) {
  char number[64];
  std::snprintf(number, sizeof number, "%.6g", value);
  line_.append(",\"").append(key).append("\":").append(number);
}

void Report::add_times(const Stopwatch& watch, double ops) {
  const double wall = watch.wall_seconds();
  const double cpu = watch.cpu_seconds();
  add("seconds", wall);
  add("cpu_seconds", cpu);
  add("ops", ops);
  add("ns_per_op", wall * 1e9 / ops);
  add("cpu_ns_per_op", cpu * 1e9 / ops);
}

void Report::print() const {
  std::printf("%s}\n", line_.c_str());
}

}  // namespace burrow::bench
