// Recurses as deep as the arguments say on goroutines, and makes as many as they say. See
// depths_test.py.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "burrow/go.h"
#include "burrow/stack.h"

namespace {

__attribute__((noinline)) long deep(long n) {
  if (n == 0) {
    return 0;
  }
  long below = deep(n - 1);
  asm volatile("" : "+r"(below));
  return below + 1;
}

void print(const char* when) {
  burrow::StackStats s = burrow::stack_usage();
  std::printf("%s reserved %zu committed %zu in_use %zu high_water %zu\n", when, s.reserved,
              s.committed, s.in_use, s.high_water);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view what = argc > 1 ? argv[1] : "";
  long n = argc > 2 ? std::atol(argv[2]) : 0;
  return burrow::run([&] {
    if (what == "recursion") {
      print("before");
      long depth = deep(n);
      print("after");
      std::printf("depth %ld\n", depth);
    } else if (what == "many") {
      std::atomic<long> running{0};
      std::atomic<bool> stop{false};
      for (long i = 0; i < n; ++i) {
        burrow::go([&] {
          running.fetch_add(1);
          while (!stop.load()) {
            burrow::sleep_for(std::chrono::milliseconds(20));
          }
          running.fetch_sub(1);
        });
      }
      while (running.load() < n) {
        burrow::yield();
      }
      std::printf("running %ld reserved %zu\n", running.load(),
                  burrow::read_stack_stats().reserved);
      stop.store(true);
      while (running.load() > 0) {
        burrow::sleep_for(std::chrono::milliseconds(1));
      }
      std::printf("trimmed %d\n", burrow::trim_stacks() > 0 ? 1 : 0);
    }
    return 0;
  });
}
