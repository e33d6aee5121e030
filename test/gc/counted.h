// What the tests of the collector share.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "burrow/gc.h"
#include "gc/cleanup.h"

namespace burrow {

inline std::atomic<int> g_destroyed{0};

struct Counted {
  uint64_t pad[3] = {};

  ~Counted() { ++g_destroyed; }
};

struct Node {
  Node* next;
  uint64_t value;
};

/// Hides what a compiler may keep of pointers on the stack and in registers.
[[gnu::noinline]] inline void wipe_stack() {
  volatile char junk[8192];
  for (volatile char& c : junk) {
    c = 0;
  }
}

/// Runs `f` on a stack that ends with it.
template <typename F>
void on_own_thread(F f) {
  std::thread(f).join();
}

inline void collect_all() {
  wipe_stack();
  collect();
  gc::drain_cleanups();
}

}  // namespace burrow
