// Gives closures to a class of another file, whose object says what that does. Prints "5 5" for
// what they kept and what they returned.
#include <cstdio>

#include "loop.h"

static P* kept;

[[gnu::noinline]] static void keep(Loop& loop, int n) {
  P* p = burrow::make<P>(n, n);
  int a = n, b = n;
  loop.post([p, a, b] {
    if (a == b) {
      kept = p;
    }
  });
}

[[gnu::noinline]] static P* back(Loop& loop, int n) {
  P* p = burrow::make<P>(n, n);
  int a = n, b = n;
  return loop.ask([p, a, b] { return a == b ? p : nullptr; });
}

[[gnu::noinline]] static void clobber() {
  volatile char all[4096];
  for (volatile char& c : all) {
    c = 0x5a;
  }
}

int main() {
  Loop loop;
  keep(loop, 5);
  clobber();
  long first = kept->x;
  P* p = back(loop, 5);
  clobber();
  std::printf("%ld %ld\n", first, p->y);
}
