// A program without any shared library: heap, collector and goroutines serve. WITH_FORK: it also
// forks; else there is no fork in it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "burrow/chan.h"
#include "burrow/gc.h"
#include "burrow/go.h"
#include "burrow/heap.h"

namespace {

struct Node {
  Node* next = nullptr;
  std::string text;
};

int work() {
  Node* list = nullptr;
  for (int i = 0; i < 100'000; ++i) {
    Node* node = burrow::make<Node>();
    node->text = std::to_string(i);
    node->next = i % 1000 == 0 ? nullptr : list;
    list = node;
  }
  burrow::collect();
  burrow::Chan<int> sums;
  burrow::go([sums, list] {
    int sum = 0;
    for (Node* node = list; node != nullptr; node = node->next) {
      sum += std::atoi(node->text.c_str());
    }
    sums.send(sum);
  });
  return *sums.recv() == 99'499'500 ? 0 : 1;
}

}  // namespace

int main() {
  std::thread([] { std::vector<int> numbers(1000); }).join();
#ifdef WITH_FORK
  pid_t child = fork();
  if (child == 0) {
    std::string text(10'000, 'x');
    burrow::make<Node>()->text = text;
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    std::puts("the child failed");
    return 1;
  }
#endif
  if (burrow::run(work) != 0 || burrow::read_mem_stats().heap_alloc == 0) {
    std::puts("wrong");
    return 1;
  }
  std::puts("ok");
}
