// A program that uses Burrow a little. See sanitizers_test.py.
#include <burrow/heap.h>
#include <burrow/memstats.h>

#include <cstdio>
#include <string>
#include <vector>

int main() {
  std::vector<std::string> texts(1000, std::string(100, 'x'));
  burrow::MemStats stats = burrow::read_mem_stats();
  std::printf("%zu %d\n", texts.size(), stats.sys > 0 ? 1 : 0);
  return 0;
}
