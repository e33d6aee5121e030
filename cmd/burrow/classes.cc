// `burrow classes`. See commands.h.
#include <algorithm>
#include <cstdio>

#include "commands.h"
#include "heap/size_classes.h"

namespace burrow::cmd {

int classes() {
  std::printf("%5s %8s %6s %6s %8s %9s %9s %9s\n", "class", "bytes", "pages", "blocks", "magazine",
              "tail", "rounding", "worst");
  double highest = 0;
  for (size_t i = 1; i < heap::kNumClasses; ++i) {
    const heap::ClassInfo& c = heap::kClasses[i];
    size_t span = c.pages * kPageSize;
    size_t tail = span - size_t{c.capacity} * c.size;
    // The smallest request that takes this class, a whole span of it.
    size_t smallest = heap::kClasses[i - 1].size + 1;
    double rounding = 1 - static_cast<double>(smallest) / c.size;
    double worst = 1 - static_cast<double>(smallest * c.capacity) / static_cast<double>(span);
    highest = c.size > 128 ? std::max(highest, worst) : highest;
    std::printf("%5zu %8u %6u %6u %8u %9zu %8.2f%% %8.2f%%\n", i, c.size, c.pages, c.capacity,
                c.magazine, tail, 100 * rounding, 100 * worst);
  }
  std::printf(
      "\nA request takes the smallest class that holds it; above %zu bytes, whole pages of %zu.\n"
      "tail:     bytes at the end of a span, too few for a block\n"
      "rounding: the most of a block that a request for it leaves unused\n"
      "worst:    the most of a full span that nobody asked for, tail and rounding together;\n"
      "          above 128 bytes %.2f%% at most\n",
      heap::kMaxSmallSize, kPageSize, 100 * highest);
  return 0;
}

}  // namespace burrow::cmd
