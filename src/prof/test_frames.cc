// Frames of known shapes, compiled with BURROW_FRAMES naming how. See test_frames.h.
#include "prof/test_frames.h"

#include <alloca.h>

#define BURROW_JOIN2(a, b) a##b
#define BURROW_JOIN(a, b) BURROW_JOIN2(a, b)
#define BURROW_SHAPE(name) BURROW_JOIN(name, BURROW_FRAMES)

namespace {

// What is left to do after the call keeps it from being a tail call.
volatile int g_after = 1;

// Makes the compiler keep the whole of it.
void use(volatile void* memory) {
  __asm__ volatile("" : : "r"(memory) : "memory");
}

}  // namespace

extern "C" {

__attribute__((noinline)) int BURROW_SHAPE(plain_)(Callback f, void* argument) {
  f(argument);
  return g_after;
}

__attribute__((noinline)) int BURROW_SHAPE(variable_frame_)(Callback f, void* argument,
                                                            size_t bytes) {
  use(alloca(bytes));
  f(argument);
  return g_after;
}

__attribute__((noinline)) int BURROW_SHAPE(large_frame_)(Callback f, void* argument) {
  volatile char memory[100'000];
  use(memory);
  f(argument);
  use(memory);
  return g_after;
}

__attribute__((noinline)) int BURROW_SHAPE(recurse_)(Callback f, void* argument, int depth) {
  if (depth == 0) {
    f(argument);
    return g_after;
  }
  return BURROW_SHAPE(recurse_)(f, argument, depth - 1) + g_after;
}

__attribute__((noinline)) void BURROW_SHAPE(never_returns_)(Callback f, void* argument) {
  f(argument);  // the call is the function's last instruction, or nearly
  __builtin_unreachable();
}
}
