// A program that neither forks nor starts threads: linked with -static it has little of glibc.
#include <burrow/gc.h>

#include <cstdio>

static int* kept;

int main() {
  kept = burrow::make<int>(3);
  burrow::collect();
  std::puts(*kept == 3 ? "collected" : "lost");
}
