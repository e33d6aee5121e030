// The workloads that Burrow, Go and Boost.Fiber are compared by. Each program takes
// WORKLOAD COUNT and prints one line of JSON:
//   yield       two goroutines that yield to each other                  ns a yield
//   pingpong    two goroutines, two unbuffered channels, one item        ns one way
//   unbuffered  a producer and a consumer, one unbuffered channel        ns an item
//   buffered    the same with room for 128                               ns an item
//   spawn       goroutines that finish at once, 100 at a time            ns each
//   parked      COUNT goroutines wait on a channel, then all finish      bytes each (resident and
//   page
//                                                                        tables), seconds to spawn,
//                                                                        to drain
//   skynet      a tree of 10 children a node with COUNT leaves           seconds
//   recursion   COUNT calls deep, on a fresh goroutine                   ms
//   mutex       lock and unlock of a free mutex                          ns a pair
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "../harness/contest.h"

namespace bench {

/// Resident memory and page tables of this process.
inline double memory_bytes() {
  std::ifstream status("/proc/self/status");
  double kib = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:") || line.starts_with("VmPTE:")) {
      kib += std::strtod(line.c_str() + 6, nullptr);
    }
  }
  return kib * 1024;
}

inline void report_parked(double bytes, double spawn_s, double drain_s) {
  std::printf("{\"bytes\":%.6g,\"spawn_s\":%.6g,\"drain_s\":%.6g}\n", bytes, spawn_s, drain_s);
}

/// The sum of 0..count-1.
inline long sum_below(long count) {
  return count * (count - 1) / 2;
}

/// Not inlined, not turned into a loop: the addition comes after the call.
__attribute__((noinline)) inline long recurse(long depth) {
  if (depth == 0) {
    return 0;
  }
  long below = recurse(depth - 1);
  asm volatile("" : "+r"(below));
  return below + 1;
}

}  // namespace bench
