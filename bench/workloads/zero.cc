// calloc: slots of zeroed blocks of `min` to `max` bytes replaced at random; every block is checked
// to be zero at both ends and is then dirtied, so that reuse must clear it again.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench.h"

namespace {

struct Slot {
  char* block = nullptr;
  std::size_t size = 0;
};

void replace(Slot& slot, std::size_t size) {
  std::free(slot.block);
  slot.block = static_cast<char*>(std::calloc(1, size));
  slot.size = size;
  if (slot.block == nullptr || slot.block[0] != 0 || slot.block[size / 2] != 0 ||
      slot.block[size - 1] != 0) {
    burrow::bench::fail("calloc returned null or a block that is not zero");
  }
  std::memset(slot.block, 0x5a, size);
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"slots", "2000"}, {"min", "16"}, {"max", "4096"}, {"replacements", "4000000"}});
  std::vector<Slot> slots(options.number("slots"));
  const std::size_t replacements = options.number("replacements");
  const std::size_t min = options.number("min");
  const std::size_t max = options.number("max");
  burrow::bench::Random random(13);
  const burrow::bench::Stopwatch watch;
  for (std::size_t i = 0; i < replacements; ++i) {
    replace(slots[random.below(slots.size())], random.log_uniform(min, max));
  }
  burrow::bench::Report report("zero");
  report.add_times(watch, static_cast<double>(replacements));
  for (const Slot& slot : slots) {
    std::free(slot.block);
  }
  report.print();
  return 0;
}
