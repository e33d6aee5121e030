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

constexpr bench::Workload kWorkloads[] = {{"trees", bench::trees<Heap, bench::Raw>},
                                          {"trees_ptr", bench::trees<Heap, bench::Raw>}};

}  // namespace

int main(int argc, char** argv) {
  const bench::Workload* workload = bench::choose(kWorkloads, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  workload->run(std::atol(argv[2]));
  return 0;
}
