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

  // Keeps what it is given; its one instance is a root.
  class Heads {
   public:
    explicit Heads(bench::ListNode** heads) { kept = heads; }

    [[nodiscard]] static bench::ListNode** get() { return kept; }

   private:
    static inline bench::ListNode** kept = nullptr;
  };

 private:
  template <class T>
  static constexpr bool kPlain = std::is_arithmetic_v<T>;
  template <size_t Bytes>
  static constexpr bool kPlain<bench::Plain<Bytes>> = true;
};

}  // namespace

int main(int argc, char** argv) {
  GC_INIT();
  GC_allow_register_threads();
  const bench::Workload* workload = bench::choose(bench::kCollected<Heap, bench::Raw>, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  workload->run(std::atol(argv[2]));
  return 0;
}
