// What tests over the collected heap share.
#pragma once

#include <cstddef>

#include "burrow/gc.h"
#include "gc/cache.h"
#include "gc/large.h"

namespace burrow {

/// Collected objects that `f` made. Exact, as no other thread of these tests makes any meanwhile.
template <class F>
size_t objects_made_by(F f) {
  auto made = [] { return gc::allocation_figures().objects + gc::large_figures().total_objects; };
  size_t before = made();
  f();
  return made() - before;
}

/// Calls `f` from a frame of its own, far down: what it leaves on the stack is not looked at later.
template <class F>
[[gnu::noinline]] void in_deep_frame(F f) {
  volatile char room[8192];
  room[0] = 0;
  room[sizeof(room) - 1] = 0;
  f();
}

/// Overwrites what calls have left below, then collects. Once more, as what was read from
/// unreachable memory in between may have kept something.
[[gnu::noinline]] inline void wipe_stack_and_collect(int times = 2) {
  in_deep_frame([] {
    volatile char room[32768];
    for (volatile char& c : room) {
      c = 0;
    }
  });
  for (int i = 0; i < times; ++i) {
    collect();
  }
}

}  // namespace burrow
