// What the programs of a contest share: a program takes WORKLOAD COUNT and prints one line of JSON.
// See contest.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace bench {

class Clock {
 public:
  [[nodiscard]] double ns() const {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start_)
        .count();
  }

  [[nodiscard]] double seconds() const { return ns() / 1e9; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

inline void report(const char* name, double value) {
  std::printf("{\"%s\":%.6g}\n", name, value);
}

inline void expect(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "bench: %s\n", what);
    std::_Exit(1);
  }
}

struct Workload {
  const char* name;
  void (*run)(long count);
};

/// The workload that the command line names, or null after a message.
inline const Workload* choose(std::span<const Workload> all, int argc, char** argv) {
  for (const Workload& one : all) {
    if (argc == 3 && std::strcmp(argv[1], one.name) == 0) {
      return &one;
    }
  }
  std::fprintf(stderr, "usage: %s WORKLOAD COUNT\n", argv[0]);
  return nullptr;
}

}  // namespace bench
