// What the tests of roots share: objects that nothing but the place under test refers to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>

#include "burrow/gc.h"

namespace roots {

constexpr uint64_t kMagic = 0xc0ffee1234567890;

struct Thing {
  uint64_t magic = kMagic;
  uint64_t pad[5] = {};
};

[[gnu::noinline]] inline Thing* fresh() {
  return burrow::make<Thing>();
}

/// Overwrites what calls left below the caller's frame.
[[gnu::noinline]] inline void wipe_stack() {
  volatile char room[16384];
  for (volatile char& c : room) {
    c = 0;
  }
}

/// Makes more objects than a span holds.
inline void use_again() {
  for (int k = 0; k < 1000; ++k) {
    burrow::make<Thing>()->magic = 1;
  }
}

/// Has everything collected that can be, and its memory used again. On a thread of its own, so that
/// the caller is stopped wherever it is.
inline void collect_elsewhere(int times = 2) {
  std::thread([times] {
    for (int i = 0; i < times; ++i) {
      burrow::collect();
      use_again();
    }
  }).join();
}

inline bool lives(const Thing* thing) {
  return thing != nullptr && thing->magic == kMagic;
}

/// Stores a fresh object to a place, and leaves no other trace of it.
[[gnu::noinline]] inline void put_fresh(Thing* volatile* place) {
  *place = fresh();
}

inline void put(void* place) {
  put_fresh(static_cast<Thing* volatile*>(place));
  wipe_stack();
}

inline bool kept(void* place) {
  return lives(*static_cast<Thing* volatile*>(place));
}

/// The same for `count` places in a row. Of so many some are lost when the place is no root,
/// whatever traces one of them has left elsewhere.
inline void put_row(void* places, int count) {
  for (int i = 0; i < count; ++i) {
    put(static_cast<void**>(places) + i);
  }
  use_again();  // no place is used again in the span that this thread has at hand
}

inline bool kept_row(void* places, int count) {
  bool all = true;
  for (int i = 0; i < count; ++i) {
    all = all && kept(static_cast<void**>(places) + i);
  }
  return all;
}

}  // namespace roots
