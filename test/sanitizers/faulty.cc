// A use after free, which the sanitizer has to find. See sanitizers_test.py.
#include <burrow/memstats.h>

#include <cstdio>

int main() {
  (void)burrow::read_mem_stats();
  int* volatile p = new int(1);
  delete p;
  std::printf("%d\n", *p);
  return 0;
}
