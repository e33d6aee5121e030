// A goroutine's stack grows as it is used: recursion that no small fixed stack could hold.
#include <burrow/chan.h>
#include <burrow/go.h>
#include <burrow/stack.h>

#include <cstdio>

namespace {

/// How deep it got: all the way. The array makes each frame a fair size.
__attribute__((noinline)) int descend(int depth) {
  volatile char frame[64];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : descend(depth - 1) + 1 + (frame[0] - static_cast<char>(depth));
}

}  // namespace

int main() {
  return burrow::run([] {
    burrow::Chan<int> done;
    burrow::go([done] {
      size_t before = burrow::stack_usage().in_use;
      int depth = descend(10'000);
      burrow::StackStats after = burrow::stack_usage();
      std::printf("depth %d\n", depth);
      std::printf("stack in use before: %zu bytes\n", before);
      std::printf("stack in use after: %zu bytes, at its deepest: %zu bytes\n", after.in_use,
                  after.high_water);
      done.close();
    });
    (void)done.recv();
    return 0;
  });
}
