// Long-lived blocks among short-lived ones: each phase has its own sizes, keeps one block in
// `keep` for good (the oldest kept go first) and frees the rest in random order. Prints what stays
// resident with the kept blocks only, and after all is freed.
#include <cstdlib>
#include <deque>
#include <utility>
#include <vector>

#include "bench.h"

namespace {

using burrow::bench::Random;

struct Kept {
  void* block;
  std::size_t size;
};

struct Ledger {
  std::deque<Kept> kept;
  std::size_t kept_bytes = 0;

  void drop_oldest() {
    kept_bytes -= kept.front().size;
    std::free(kept.front().block);
    kept.pop_front();
  }
};

/// Allocates `bytes` of blocks in [low, high], keeps some, frees the others; returns the blocks.
std::size_t phase(Ledger& ledger, std::size_t bytes, std::size_t low, std::size_t high,
                  std::size_t keep, Random& random) {
  std::vector<void*> passing;
  std::size_t blocks = 0;
  for (std::size_t taken = 0; taken < bytes; ++blocks) {
    const std::size_t size = random.log_uniform(low, high);
    void* block = burrow::bench::must_malloc(size);
    burrow::bench::touch_pages(block, size);
    taken += size;
    if (random.below(keep) == 0) {
      ledger.kept.push_back({block, size});
      ledger.kept_bytes += size;
    } else {
      passing.push_back(block);
    }
  }
  for (std::size_t i = passing.size(); i > 0; --i) {
    std::swap(passing[i - 1], passing[random.below(i)]);
    std::free(passing[i - 1]);
  }
  return blocks;
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"phase", "48M"}, {"phases", "24"}, {"keep", "16"}, {"kept", "24M"}});
  constexpr std::size_t kLows[] = {16, 64, 512, 24, 4096, 128};
  constexpr std::size_t kHighs[] = {128, 1024, 16384, 256, 65536, 2048};
  Ledger ledger;
  Random random(7);
  std::size_t ops = 0;
  burrow::bench::Report report("fragment");
  const burrow::bench::Stopwatch watch;
  for (std::size_t i = 0; i < options.number("phases"); ++i) {
    ops += phase(ledger, options.number("phase"), kLows[i % 6], kHighs[i % 6],
                 options.number("keep"), random);
    while (ledger.kept_bytes > options.number("kept")) {
      ledger.drop_oldest();
    }
  }
  report.add_times(watch, static_cast<double>(ops));
  report.add("kept_kib", static_cast<double>(ledger.kept_bytes) / 1024);
  report.add("resident_kept_kib", static_cast<double>(burrow::bench::resident_kib()));
  while (!ledger.kept.empty()) {
    ledger.drop_oldest();
  }
  report.add("resident_empty_kib", static_cast<double>(burrow::bench::resident_kib()));
  report.print();
  return 0;
}
