// Read-modify-write that is atomic towards signal handlers of the same thread, not towards other
// threads: one instruction, no lock prefix. See heap/mcache.h, "Signals".
#pragma once

#include <cstdint>

namespace burrow::arch {

/// Adds `delta` bytes to the pointer and returns its old value.
template <typename T>
inline __attribute__((always_inline)) T* local_fetch_add(T** pointer, intptr_t delta) {
  asm volatile("xaddq %0, %1" : "+r"(delta), "+m"(*pointer) : : "memory", "cc");
  return reinterpret_cast<T*>(delta);
}

/// Tells the core that this is a spin loop.
inline void spin_pause() { asm volatile("pause"); }

}  // namespace burrow::arch
