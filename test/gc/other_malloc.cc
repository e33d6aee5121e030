// Objects that nothing but blocks of malloc, operator new and a library's own thread_locals refer
// to, whoever's malloc that is. Prints how many were lost; exit code 1 if any were.
//
//     gc_other_malloc [mapped [fault]]
//
// With `mapped`, a mapping of the program's own has some besides, which is a root where
// BURROW_ROOTS says so. With `fault`, it is none all the same.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "burrow/memstats.h"
#ifdef BURROW_TEST_FAULTS
#include "gc/faults.h"
#endif

namespace {

struct Node {
  burrow::Ptr<Node> next;
  long value;
};

constexpr long kNodes = 100'000;

Node* make_node(long value) {
  Node* node = burrow::make<Node>();
  node->value = value;
  return node;
}

void make_garbage() {
  for (long i = 0; i < kNodes; ++i) {
    make_node(-1);
  }
}

// Kept by containers and a malloc'd array.
long lose(bool mapped) {
  std::vector<Node*> kept;
  std::list<Node*> listed;
  constexpr size_t kBytes = kNodes / 10 * sizeof(Node*);
  auto** array = static_cast<Node**>(
      mapped ? mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
             : std::malloc(kBytes));
  for (long i = 0; i < kNodes; ++i) {
    if (i % 10 == 0) {
      kept.push_back(make_node(i));
      listed.push_back(make_node(i));
      array[i / 10] = make_node(i);
    } else {
      make_node(-2);
    }
  }
  burrow::collect();
  make_garbage();
  long lost = 0;
  auto at = listed.begin();
  for (long i = 0; i < kNodes / 10; ++i, ++at) {
    lost += static_cast<int>(kept[static_cast<size_t>(i)]->value != i * 10) +
            static_cast<int>((*at)->value != i * 10) + static_cast<int>(array[i]->value != i * 10);
  }
  mapped ? (void)munmap(array, kBytes) : std::free(array);
  return lost;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef BURROW_TEST_FAULTS
  burrow::gc::g_faults.no_foreign_roots = argc > 2 && std::strcmp(argv[2], "fault") == 0;
#endif
  bool mapped = argc > 1 && std::strcmp(argv[1], "mapped") == 0;
  long lost = lose(mapped);
  std::thread([&] { lost += lose(mapped); }).join();
  std::printf("lost %ld\n", lost);
  // What was garbage is gone all the same.
  burrow::collect();
  burrow::collect();
  unsigned long live = burrow::read_mem_stats().heap_objects;
  std::printf("live %lu\n", live);
  return lost == 0 && live < kNodes ? 0 : 1;
}
