// Threads that count, for tests of stops: whoever has stopped does not count on.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <span>
#include <thread>
#include <vector>

#include "base/hold.h"
#include "os/os.h"
#include "os/stop.h"
#include "os/thread.h"

namespace burrow::os {

inline constexpr int kRounds = 100;

/// Threads that count until they are destroyed.
class Counters {
 public:
  /// Each calls `step` between two counts.
  Counters(size_t count, void (*step)()) : counts_(count) {
    for (std::atomic<uint64_t>& mine : counts_) {
      threads_.emplace_back([this, &mine, step] {
        while (!done_.load(std::memory_order_relaxed)) {
          step();
          mine.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
  }

  ~Counters() {
    done_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  std::vector<uint64_t> now() const { return {counts_.begin(), counts_.end()}; }

  /// Hangs when a thread does not go on.
  void wait_for_all() const {
    std::vector<uint64_t> before = now();
    for (size_t i = 0; i < counts_.size(); ++i) {
      while (counts_[i] == before[i]) {
        std::this_thread::yield();
      }
    }
  }

 private:
  std::atomic<bool> done_{false};
  std::deque<std::atomic<uint64_t>> counts_;
  std::vector<std::thread> threads_;
};

class Stop : public testing::Test {
 protected:
  /// Beside other programs a thread may not get to run for a second: then once more.
  static std::span<const StoppedThread> stop() {
    for (;;) {
      if (auto threads = stop_threads(); threads) {
        return *threads;
      }
      sleep_ms(10);
    }
  }

  static void SetUpTestSuite() {
    ASSERT_TRUE(stop_init(
        {.may_stop = [](const Hold& hold) { return hold.depth == 0; }, .stacks = nullptr}));
  }

  /// Stops and resumes again and again: short stops, and ones in which whoever waits falls asleep.
  static void check(size_t threads, void (*step)(), int rounds = kRounds) {
    Counters counters(threads, step);
    for (int round = 0; round < rounds; ++round) {
      counters.wait_for_all();
      ASSERT_EQ(stop().size(), threads);
      std::vector<uint64_t> stopped = counters.now();
      if (round % 2 != 0) {
        sleep_ns(200'000);
      }
      std::vector<uint64_t> later = counters.now();
      resume_threads();
      ASSERT_EQ(stopped, later);
    }
  }

  static size_t many() { return static_cast<size_t>(processor_count()) * 3; }
};

}  // namespace burrow::os
