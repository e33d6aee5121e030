// Says how many objects a loop put on the collected heap.
#include <cstdint>
#include <cstdio>

#include "burrow/gc.h"
#include "burrow/memstats.h"
#include "point.h"

namespace {

__attribute__((noinline)) int64_t sum(int64_t n) {
  int64_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    auto* p = burrow::make<Point>(i, 2 * i);
#ifdef ACROSS
    total += coordinates(p);
#else
    total += p->x + p->y;
#endif
  }
  return total;
}

}  // namespace

int main() {
  constexpr int64_t kTimes = 1'000'000;
  uint64_t before = burrow::read_mem_stats().total_alloc;
  int64_t total = sum(kTimes);
  uint64_t bytes = burrow::read_mem_stats().total_alloc - before;
  std::printf("total %lld, on the heap: %s\n", static_cast<long long>(total),
              bytes < kTimes ? "nothing" : "all");
}
