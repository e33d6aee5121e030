// What the programs of ways share: the object that travels, and who asks whether it arrived.
#pragma once

#include <cstddef>
#include <cstdio>

#define APART [[gnu::noinline]]

struct P {
  long x, y;
};

static long value;

struct Way {
  const char* name;
  P* (*way)(int);
};

#define WAY(name) {#name, name}

// Writes over the frames that the ways had.
APART static void clobber() {
  volatile char all[4096];
  for (volatile char& c : all) {
    c = 0x5a;
  }
}

// Goes all the ways, and prints those whose object is gone.
template <size_t N>
static void try_all(const Way (&ways)[N], int argument) {
  for (const auto& [name, way] : ways) {
    ++value;
    std::fflush(stdout);
    P* p = way(argument);
    clobber();
    if (!p || p->x != value || p->y != -value) {
      std::printf("%s\n", name);
    }
  }
}
