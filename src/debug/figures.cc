// The process's figures, from the heap, the profiler and /proc. See figures.h.
#include "debug/figures.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "heap/hooks.h"
#include "os/descriptor.h"
#include "prof/prof.h"

namespace burrow::debug {
namespace {

// At most 1 MiB of a file of /proc.
std::string read_whole(const char* path) {
  std::string text;
  os::Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; text.size() < (size_t{1} << 20) &&
                      (n = read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

heap::HeapStats read_figures() {
  heap::HeapStats stats;
  heap::read_stats(stats);
  stats.sys -= stats.buck_hash_sys;
  stats.buck_hash_sys = prof::memory_bytes();
  stats.sys += stats.buck_hash_sys;
  if (const heap::CollectorHooks* hooks = heap::collector_hooks(); hooks != nullptr) {
    hooks->add_figures(stats);
  }
  heap::add_stack_figures(stats);
  return stats;
}

size_t max_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

std::string command_line() {
  std::string text = read_whole("/proc/self/cmdline");
  if (text.ends_with('\0')) {
    text.pop_back();
  }
  return text;
}

std::string program_name() {
  std::string text = read_whole("/proc/self/comm");
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

std::string readable_bytes(size_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {" B", " KiB", " MiB", " GiB", " TiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + kUnits[0];
  }
  size_t unit = 0;
  size_t tenths = bytes * 10;
  for (; tenths >= 10240 && unit + 1 < kUnits.size(); ++unit) {
    tenths = (tenths + 512) / 1024;
  }
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kUnits[unit];
}

// Not to_chars, which would bring libm into every process.
std::string readable_fraction(double value) {
  constexpr uint64_t kBillion = 1'000'000'000;
  double scaled = value * kBillion;
  auto billionths = static_cast<uint64_t>(scaled);
  billionths += scaled - static_cast<double>(billionths) >= 0.5 ? 1 : 0;
  std::string decimals = std::to_string(billionths % kBillion);
  decimals.insert(0, 9 - decimals.size(), '0');
  decimals.resize(decimals.find_last_not_of('0') + 1);
  std::string whole = std::to_string(billionths / kBillion);
  return decimals.empty() ? whole : whole + "." + decimals;
}

}  // namespace burrow::debug
