// Large blocks: a few slots whose blocks of `min` to `max` bytes are replaced at random. `touch=1`
// writes every page (a program that fills its buffers), `touch=0` the first byte only.
#include <cstdlib>
#include <vector>

#include "bench.h"

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv,
      {{"slots", "24"}, {"min", "64K"}, {"max", "8M"}, {"replacements", "20000"}, {"touch", "1"}});
  std::vector<void*> slots(options.number("slots"));
  const std::size_t replacements = options.number("replacements");
  const std::size_t min = options.number("min");
  const std::size_t max = options.number("max");
  const bool fill = options.number("touch") != 0;
  burrow::bench::Random random(11);
  const burrow::bench::Stopwatch watch;
  for (std::size_t i = 0; i < replacements; ++i) {
    void*& slot = slots[random.below(slots.size())];
    std::free(slot);
    const std::size_t size = random.log_uniform(min, max);
    slot = burrow::bench::must_malloc(size);
    if (fill) {
      burrow::bench::touch_pages(slot, size);
    }
  }
  burrow::bench::Report report("large");
  report.add_times(watch, static_cast<double>(replacements));
  for (void* block : slots) {
    std::free(block);
  }
  report.print();
  return 0;
}
