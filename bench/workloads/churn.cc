// Server churn: each chain replaces blocks at random places of its array; after every generation
// a new thread takes the array over from the old one, which ends.
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench.h"

namespace {

struct Chain {
  std::vector<void*> slots;
  std::size_t generations = 0;
  std::size_t replacements = 0;
  std::size_t min = 0;
  std::size_t max = 0;
  std::uint64_t seed = 0;
};

void generation(Chain& chain) {
  burrow::bench::Random random(chain.seed++);
  burrow::bench::SizeRing sizes(chain.min, chain.max, chain.seed);
  for (std::size_t i = 0; i < chain.replacements; ++i) {
    void*& slot = chain.slots[random.below(chain.slots.size())];
    std::free(slot);
    slot = burrow::bench::must_malloc(sizes.next());
  }
}

void run_chain(Chain& chain) {
  for (std::size_t i = 0; i < chain.generations; ++i) {
    std::thread(generation, std::ref(chain)).join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(argc, argv,
                                       {{"threads", "4"},
                                        {"slots", "2000"},
                                        {"min", "16"},
                                        {"max", "1024"},
                                        {"generations", "20"},
                                        {"replacements", "500000"}});
  const std::size_t threads = options.number("threads");
  std::vector<Chain> chains(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    chains[i] = Chain{std::vector<void*>(options.number("slots")),
                      options.number("generations"),
                      options.number("replacements"),
                      options.number("min"),
                      options.number("max"),
                      (i + 1) * 1000};
  }
  const burrow::bench::Stopwatch watch;
  std::vector<std::thread> keepers;
  for (Chain& chain : chains) {
    keepers.emplace_back(run_chain, std::ref(chain));
  }
  for (std::thread& keeper : keepers) {
    keeper.join();
  }
  burrow::bench::Report report("churn");
  report.add_times(watch, static_cast<double>(threads * options.number("generations") *
                                              options.number("replacements")));
  for (const Chain& chain : chains) {
    for (void* block : chain.slots) {
      std::free(block);
    }
  }
  report.print();
  return 0;
}
