// Tight pairs: allocate one block, write to it, free it. `size=0` walks a ring of mixed sizes;
// `api=new` uses operator new and the sized operator delete.
#include <cstdlib>
#include <new>

#include "bench.h"

namespace {

using burrow::bench::SizeRing;
using burrow::bench::touch;

void run_malloc(std::size_t size, std::size_t pairs) {
  for (std::size_t i = 0; i < pairs; ++i) {
    void* block = std::malloc(size);
    touch(block);
    std::free(block);
  }
}

void run_new(std::size_t size, std::size_t pairs) {
  for (std::size_t i = 0; i < pairs; ++i) {
    void* block = ::operator new(size);
    touch(block);
    ::operator delete(block, size);
  }
}

void run_mixed(SizeRing& sizes, std::size_t pairs) {
  for (std::size_t i = 0; i < pairs; ++i) {
    void* block = std::malloc(sizes.next());
    touch(block);
    std::free(block);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"size", "16"}, {"pairs", "50000000"}, {"api", "malloc"}, {"max", "1024"}});
  const std::size_t size = options.number("size");
  const std::size_t pairs = options.number("pairs");
  SizeRing sizes(8, options.number("max"), 1);
  const burrow::bench::Stopwatch watch;
  if (options.text("api") == "new") {
    run_new(size, pairs);
  } else if (size == 0) {
    run_mixed(sizes, pairs);
  } else {
    run_malloc(size, pairs);
  }
  burrow::bench::Report report("pair");
  report.add_times(watch, static_cast<double>(pairs));
  report.print();
  return 0;
}
