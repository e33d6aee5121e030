// Batches: allocate `count` blocks of mixed sizes, then free them in the order asked for.
#include <cstdlib>
#include <utility>
#include <vector>

#include "bench.h"

namespace {

using burrow::bench::Random;

/// The order in which a batch is freed: positions of the batch, each once.
std::vector<std::uint32_t> free_order(std::string_view name, std::size_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    order[i] = static_cast<std::uint32_t>(name == "lifo" ? count - 1 - i : i);
  }
  if (name == "random") {
    for (std::size_t i = count - 1; i > 0; --i) {
      std::swap(order[i], order[random.below(i + 1)]);
    }
  } else if (name != "lifo" && name != "fifo") {
    burrow::bench::fail("order must be lifo, fifo or random");
  }
  return order;
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv,
      {{"order", "random"}, {"count", "1000"}, {"rounds", "40000"}, {"min", "8"}, {"max", "1024"}});
  const std::size_t count = options.number("count");
  const std::size_t rounds = options.number("rounds");
  burrow::bench::SizeRing sizes(options.number("min"), options.number("max"), 2);
  Random random(3);
  constexpr std::size_t kOrders = 16;
  std::vector<std::vector<std::uint32_t>> orders;
  for (std::size_t i = 0; i < kOrders; ++i) {
    orders.push_back(free_order(options.text("order"), count, random));
  }
  std::vector<void*> blocks(count);
  const burrow::bench::Stopwatch watch;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (void*& block : blocks) {
      block = std::malloc(sizes.next());
      burrow::bench::touch(block);
    }
    for (const std::uint32_t at : orders[round % kOrders]) {
      std::free(blocks[at]);
    }
  }
  burrow::bench::Report report("batch");
  report.add_times(watch, static_cast<double>(count) * static_cast<double>(rounds));
  report.print();
  return 0;
}
