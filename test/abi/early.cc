// The heap before main and after it: in .preinit_array, constructors, exit handlers, destructors.
// Each step must find its memory whole; the program prints them in the end.
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>

#include "under_test.h"

namespace {

constexpr size_t kSizes[] = {10, 100, 5000, 100000};

// Blocks of earlier steps, which later ones check, resize and free.
void* g_blocks[16];
unsigned g_steps = 0;

void step(const char* name) {
  for (unsigned i = 0; i < g_steps; ++i) {
    if (!heap_abi::holds(g_blocks[i], 10, i)) {
      fprintf(stderr, "%s: block %u is damaged\n", name, i);
      _exit(1);
    }
    g_blocks[i] = realloc(g_blocks[i], 10 + i * 1000);
  }
  for (size_t size : kSizes) {
    free(heap_abi::opaque(malloc(size)));
    ::operator delete(heap_abi::opaque(::operator new(size)));
  }
  g_blocks[g_steps] = malloc(kSizes[g_steps % 4]);
  heap_abi::fill(g_blocks[g_steps], 10, g_steps);
  ++g_steps;
  // Neither stdio nor streams: it may be too early or too late for them.
  if (write(1, name, strlen(name)) < 0 || write(1, "\n", 1) < 0) {
    _exit(1);
  }
}

void preinit(int /*argc*/, char** /*argv*/, char** /*envp*/) {
  step("preinit");
}

__attribute__((section(".preinit_array"), used)) void (*g_preinit)(int, char**, char**) = preinit;

__attribute__((constructor(101))) void early_constructor() {
  step("early constructor");
}

__attribute__((constructor)) void constructor() {
  step("constructor");
}

__attribute__((destructor(101))) void late_destructor() {
  step("late destructor");
  for (unsigned i = 0; i < g_steps; ++i) {
    free(g_blocks[i]);
  }
}

__attribute__((destructor)) void destructor() {
  step("destructor");
}

struct Global {
  Global() { step("global's constructor"); }

  ~Global() { step("global's destructor"); }
} g_global;

// Chosen while the program is being bound, before any constructor.
int real_chosen() {
  return 1;
}

extern "C" int (*resolve_chosen())() {
  return real_chosen;
}

int chosen() __attribute__((ifunc("resolve_chosen")));

thread_local struct ThreadLocal {
  ~ThreadLocal() { step("thread_local's destructor"); }
} t_local;

}  // namespace

int main() {
  (void)heap_abi::opaque(&t_local);
  atexit([] { step("atexit"); });
  at_quick_exit([] { step("quick"); });
  step("main");
  return chosen() - 1;
}
