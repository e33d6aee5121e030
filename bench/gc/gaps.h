// A thread that measures how long it is kept from running. See workloads.h.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "shapes.h"

namespace bench {

class Gaps {
 public:
  Gaps() : thread_([this] { watch(); }) {
    while (!runs_.load()) {
      std::this_thread::yield();
    }
  }

  ~Gaps() { stop(); }

  Gaps(const Gaps&) = delete;
  Gaps& operator=(const Gaps&) = delete;

  void stop() {
    ends_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  /// Of all moments, in ms. REQUIRES: stopped.
  [[nodiscard]] double longest() const {
    return *std::max_element(longest_ms_.begin(), longest_ms_.end());
  }

  /// Of the longest gap in each ms. REQUIRES: stopped.
  [[nodiscard]] double percentile99() const {
    std::vector<double> sorted = longest_ms_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() * 99 / 100];
  }

 private:
  void watch() {
    longest_ms_.reserve(1 << 16);
    Clock clock;
    double last = clock.ns();
    double window = last;
    double longest = 0;
    runs_ = true;
    while (!ends_.load(std::memory_order_relaxed)) {
      double now = clock.ns();
      longest = std::max(longest, now - last);
      if (now - window >= 1e6) {
        longest_ms_.push_back(longest / 1e6);
        window = now;
        longest = 0;
      }
      last = now;
    }
    longest_ms_.push_back(longest / 1e6);
  }

  std::atomic<bool> runs_{false};
  std::atomic<bool> ends_{false};
  std::vector<double> longest_ms_;
  std::thread thread_;
};

/// Collects three times beside a thread that measures its gaps.
template <class Heap, bool Shuffled>
void mark(long count) {
  typename Heap::Heads heads(lists<Heap>(count, Shuffled));
  std::vector<double> ns;
  Gaps gaps;
  for (int i = 0; i < 3; ++i) {
    Clock clock;
    Heap::collect();
    ns.push_back(clock.ns() / static_cast<double>(count));
  }
  gaps.stop();
  long found = 0;
  for (int i = 0; i < 1024; ++i) {
    for (const ListNode* at = heads.get()[i]; at != nullptr; at = at->next) {
      ++found;
    }
  }
  expect(found == count, "nodes were lost");
  std::printf("{\"ns\":%.6g,\"gap_ms\":%.6g,\"gap99_ms\":%.6g}\n", median(ns), gaps.longest(),
              gaps.percentile99());
}

/// What every collector runs. Its `Heap` has collect() and Heads besides, which keeps an array of
/// lists alive. `Pointer` is what the second trees are made of.
template <class Heap, template <class> class Pointer>
inline constexpr Workload kCollected[] = {{"trees", trees<Heap, Raw>},
                                          {"trees_ptr", trees<Heap, Pointer>},
                                          {"alloc_16", allocate<Heap, 16>},
                                          {"alloc_64", allocate<Heap, 64>},
                                          {"alloc_1024", allocate<Heap, 1024>},
                                          {"alloc_4096", allocate<Heap, 4096>},
                                          {"alloc_32768", allocate<Heap, 32768>},
                                          {"alloc_65536", allocate<Heap, 65536>},
                                          {"ordered", mark<Heap, false>},
                                          {"shuffled", mark<Heap, true>},
                                          {"lru", lru<Heap>}};

/// Two lists as one.
template <size_t M, size_t N>
constexpr std::array<Workload, M + N> both(const Workload (&first)[M],
                                           const Workload (&second)[N]) {
  std::array<Workload, M + N> all{};
  std::copy(second, second + N, std::copy(first, first + M, all.begin()));
  return all;
}

}  // namespace bench
