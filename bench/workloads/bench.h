// What every workload shares: options, clocks, random sizes, sinks and the JSON line.
// Workloads know no allocator: they call malloc, free and operator new, and the harness preloads
// one. See bench/README.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace burrow::bench {

/// One parameter of a workload: `name=value` on the command line replaces the fallback.
struct Option {
  std::string_view name;
  std::string_view fallback;
};

/// The parsed command line. An unknown name or a bad number ends the program with status 2.
class Options {
 public:
  /// REQUIRES: `known` names string literals.
  Options(int argc, char** argv, std::initializer_list<Option> known);

  /// The value of `name` as a count; the suffixes K, M and G multiply by powers of 1024.
  [[nodiscard]] std::size_t number(std::string_view name) const;

  /// The value of `name` as given.
  [[nodiscard]] std::string_view text(std::string_view name) const;

 private:
  std::vector<Option> values_;
};

/// Seconds of wall clock and of this process's CPU time since construction.
class Stopwatch {
 public:
  Stopwatch();
  [[nodiscard]] double wall_seconds() const;
  [[nodiscard]] double cpu_seconds() const;

 private:
  double wall_start_;
  double cpu_start_;
};

/// SplitMix64: the same sequence for the same seed on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  /// A number in [0, n). REQUIRES: 0 < n < 2^32.
  std::size_t below(std::size_t n) { return ((next() >> 32) * n) >> 32; }

  /// A number in [low, high], each power of two as likely as the next. REQUIRES: 0 < low <= high.
  std::size_t log_uniform(std::size_t low, std::size_t high);

 private:
  std::uint64_t state_;
};

/// A ring of sizes drawn in advance, so that the measured loop draws none.
class SizeRing {
 public:
  /// Sizes in [low, high], small ones more often: 2/3 from the lower quarter of the range.
  SizeRing(std::size_t low, std::size_t high, std::uint64_t seed);

  std::size_t next() { return sizes_[at_++ % kCount]; }

 private:
  static constexpr std::size_t kCount = 4096;
  std::uint32_t sizes_[kCount];
  std::size_t at_ = 0;
};

/// Writes the first byte of a block, so that the compiler cannot drop its allocation.
inline void touch(void* block) {
  *static_cast<volatile char*>(block) = 1;
}

/// Writes one byte of each 4 KiB page of a block.
void touch_pages(void* block, std::size_t size);

/// `malloc` that ends the program with a clear line when there is no memory.
void* must_malloc(std::size_t size);

/// Ends the program with status 1 and one line.
[[noreturn]] void fail(const char* message);

/// Resident KiB of this process now.
std::size_t resident_kib();

/// The JSON line: `name`, then figures in the order added, then a newline on standard output.
class Report {
 public:
  explicit Report(std::string_view name);
  void add(std::string_view key, double value);

  /// Adds seconds, cpu_seconds, ops, ns_per_op and cpu_ns_per_op. REQUIRES: ops > 0.
  void add_times(const Stopwatch& watch, double ops);

  void print() const;

 private:
  std::string line_;
};

}  // namespace burrow::bench
