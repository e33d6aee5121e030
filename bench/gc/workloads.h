// The workloads that Burrow's collected heap, Go, bdwgc and malloc are compared by. Each program
// takes WORKLOAD COUNT and prints one line of JSON:
//   trees       binary-trees to depth COUNT, raw pointers       seconds, peak MiB
//   trees_ptr   the same with pointer fields that have barriers (Burrow; the others: as `trees`)
//   alloc_N     COUNT objects of N bytes without pointers       ns each, all collection included
//   ordered     a collection of COUNT linked objects of 32      ns an object (of three collections,
//   shuffled    bytes, in the order of memory or at random      the median); the mutator's longest
//                                                               gap meanwhile, and the 99th
//                                                               percentile of the longest gap in
//                                                               each ms
//   lru         COUNT look-ups in a full LRU cache of 1 KiB     ns each
//               entries, 1 GiB of them, half of them misses
//   pool        get and put of a Pool                           ns a pair
//   append      ints to slices that grow to 1,000               ns each
//   any_int     an int that is boxed                            ns each
//   any_struct  24 bytes that are boxed                         ns each
//   barrier     list nodes exchanged while nothing collects     ratio of pointer fields with a
//                                                               barrier to raw ones
//   strings     COUNT entries with a string of 60 bytes,        ns each, peak MiB
//               1,000 of which live
//   dead        a collection that finds COUNT objects with      ms that the world stands still
//               destructors (Go: finalizers) dead
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../harness/contest.h"

namespace bench {

inline double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// The value is used, as far as the compiler knows.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// Knuth's MMIX generator: the same numbers in every language.
class Random {
 public:
  uint32_t below(uint32_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>((state_ >> 32) * limit >> 32);
  }

 private:
  uint64_t state_ = 1;
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace bench
