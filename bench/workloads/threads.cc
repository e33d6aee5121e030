// Short threads: each allocates a few hundred blocks, frees most and leaves the rest to the thread
// that joins it.
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench.h"

namespace {

constexpr std::size_t kLeaveOneIn = 8;

void short_life(std::size_t objects, std::uint64_t seed, std::vector<void*>& left) {
  burrow::bench::Random random(seed);
  std::vector<void*> mine;
  for (std::size_t i = 0; i < objects; ++i) {
    mine.push_back(burrow::bench::must_malloc(random.log_uniform(16, 4096)));
  }
  for (std::size_t i = 0; i < objects; ++i) {
    if (i % kLeaveOneIn == 0) {
      left.push_back(mine[i]);
    } else {
      std::free(mine[i]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(argc, argv,
                                       {{"threads", "8000"}, {"at_once", "4"}, {"objects", "400"}});
  const std::size_t at_once = options.number("at_once");
  const std::size_t waves = options.number("threads") / at_once;
  const burrow::bench::Stopwatch watch;
  for (std::size_t wave = 0; wave < waves; ++wave) {
    std::vector<std::vector<void*>> left(at_once);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < at_once; ++i) {
      threads.emplace_back(short_life, options.number("objects"), wave * at_once + i,
                           std::ref(left[i]));
    }
    for (std::size_t i = 0; i < at_once; ++i) {
      threads[i].join();
      for (void* block : left[i]) {
        std::free(block);
      }
    }
  }
  burrow::bench::Report report("threads");
  report.add_times(watch, static_cast<double>(waves * at_once));
  report.print();
  return 0;
}
