// What has no collector: memory is freed by hand, by whatever malloc is preloaded. See workloads.h.
#include "shapes.h"

namespace {

struct Heap {
  static constexpr bool kDrops = true;

  template <class T>
  static T* make() {
    return static_cast<T*>(std::calloc(1, sizeof(T)));
  }

  static void drop(void* memory) { std::free(memory); }
};

}  // namespace

int main(int argc, char** argv) {
  auto* run = bench::choose(
      {{"trees", bench::trees<Heap, bench::Raw>}, {"trees_ptr", bench::trees<Heap, bench::Raw>}},
      argc, argv);
  if (run == nullptr) {
    return 2;
  }
  run(std::atol(argv[2]));
  return 0;
}
