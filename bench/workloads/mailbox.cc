// Shared mailboxes: every thread puts its block into a random box and frees what lay there, so that
// most blocks are freed by another thread than the one that allocated them.
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench.h"

namespace {

using Boxes = std::vector<std::atomic<void*>>;

void exchange(Boxes& boxes, std::size_t exchanges, std::size_t max, std::uint64_t seed) {
  burrow::bench::Random random(seed);
  burrow::bench::SizeRing sizes(16, max, seed);
  for (std::size_t i = 0; i < exchanges; ++i) {
    void* mine = burrow::bench::must_malloc(sizes.next());
    // Release hands the block's bytes over; acquire takes the other thread's.
    std::free(boxes[random.below(boxes.size())].exchange(mine, std::memory_order_acq_rel));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"threads", "4"}, {"boxes", "8000"}, {"exchanges", "4000000"}, {"max", "1024"}});
  Boxes boxes(options.number("boxes"));
  const std::size_t exchanges = options.number("exchanges");
  const burrow::bench::Stopwatch watch;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < options.number("threads"); ++i) {
    threads.emplace_back(exchange, std::ref(boxes), exchanges, options.number("max"), i + 1);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  burrow::bench::Report report("mailbox");
  report.add_times(watch, static_cast<double>(threads.size() * exchanges));
  for (std::atomic<void*>& box : boxes) {
    // Relaxed: the threads are joined.
    std::free(box.load(std::memory_order_relaxed));
  }
  report.print();
  return 0;
}
