// The workloads on the Boehm-Demers-Weiser collector. See workloads.h.
#define GC_THREADS
#include <gc.h>

#include <type_traits>

#include "gaps.h"
#include "shapes.h"

namespace {

struct Heap {
  static constexpr bool kDrops = false;

  template <class T>
  static T* make() {
    return make_array<T>(1);
  }

  // It zeroes what may hold pointers only; the others give zeroed memory.
  template <class T>
  static T* make_array(size_t n) {
    void* memory = nullptr;
    if constexpr (kPlain<T>) {
      memory = GC_MALLOC_ATOMIC(n * sizeof(T));
      std::memset(memory, 0, n * sizeof(T));
    } else {
      memory = GC_MALLOC(n * sizeof(T));
    }
    return static_cast<T*>(memory);
  }

  static void collect() { GC_gcollect(); }

 private:
  template <class T>
  static constexpr bool kPlain = std::is_arithmetic_v<T>;
  template <size_t Bytes>
  static constexpr bool kPlain<bench::Plain<Bytes>> = true;
};

bench::ListNode** g_heads;  // a root

template <bool Shuffled>
void mark(long count) {
  g_heads = bench::lists<Heap>(count, Shuffled);
  bench::mark<Heap>(count, g_heads);
}

constexpr bench::Workload kWorkloads[] = {{"trees", bench::trees<Heap, bench::Raw>},
                                          {"trees_ptr", bench::trees<Heap, bench::Raw>},
                                          {"alloc_16", bench::allocate<Heap, 16>},
                                          {"alloc_64", bench::allocate<Heap, 64>},
                                          {"alloc_1024", bench::allocate<Heap, 1024>},
                                          {"alloc_4096", bench::allocate<Heap, 4096>},
                                          {"alloc_32768", bench::allocate<Heap, 32768>},
                                          {"alloc_65536", bench::allocate<Heap, 65536>},
                                          {"ordered", mark<false>},
                                          {"shuffled", mark<true>},
                                          {"lru", bench::lru<Heap>}};

}  // namespace

int main(int argc, char** argv) {
  GC_INIT();
  GC_allow_register_threads();
  const bench::Workload* workload = bench::choose(kWorkloads, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  workload->run(std::atol(argv[2]));
  return 0;
}
