// For tests: things done at the same time by goroutines, by plain threads, or by both.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "burrow/go.h"
#include "burrow/sync.h"

namespace burrow {

enum class StrandKind { kGoroutines, kThreads, kMixed };

inline std::string strand_kind_name(StrandKind kind) {
  switch (kind) {
    case StrandKind::kGoroutines:
      return "Goroutines";
    case StrandKind::kThreads:
      return "Threads";
    case StrandKind::kMixed:
      return "Mixed";
  }
  return "";
}

/// Starts strands, and waits for all of them at its end.
class Strands {
 public:
  explicit Strands(StrandKind kind) : kind_(kind) {}

  Strands(const Strands&) = delete;
  Strands& operator=(const Strands&) = delete;

  ~Strands() { join(); }

  /// A mixed party alternates.
  void start(std::function<void()> body) {
    ++started_;
    if (kind_ == StrandKind::kThreads || (kind_ == StrandKind::kMixed && started_ % 2 == 0)) {
      threads_.emplace_back(std::move(body));
    } else {
      goroutines_.go(std::move(body));
    }
  }

  void join() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
    goroutines_.wait();
  }

 private:
  StrandKind kind_;
  int started_ = 0;
  std::vector<std::thread> threads_;
  WaitGroup goroutines_;
};

/// A small generator with a seed, the same everywhere.
class TestRandom {
 public:
  explicit TestRandom(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  uint64_t operator()() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545F4914F6CDD1DULL >> 11;
  }

  size_t below(size_t bound) { return (*this)() % bound; }

 private:
  uint64_t state_;
};

}  // namespace burrow
