// The scheduler's one thread-local variable. See arch.h, How 3.
#pragma once

#include <cstdint>

#include "base/annotations.h"

extern "C" {
/// The worker that the thread is; null on plain threads. Defined in src/sched. To be read by
/// `read_worker` only.
BURROW_HIDDEN extern constinit thread_local void* burrow_worker;
}

namespace burrow::arch {

/// The calling thread's worker, read anew each time: volatile, so that no two reads are made one.
BURROW_ALWAYS_INLINE void* read_worker() {
  void* value = nullptr;
  asm volatile(
      "movq burrow_worker@GOTTPOFF(%%rip), %0\n\t"
      "movq %%fs:(%0), %0"
      : "=r"(value)
      :
      : "memory");
  return value;
}

/// Another thread's, by its thread pointer.
inline void* read_worker_of(uintptr_t thread_pointer) {
  uintptr_t offset = 0;
  asm("movq burrow_worker@GOTTPOFF(%%rip), %0" : "=r"(offset));
  return *reinterpret_cast<void* const volatile*>(thread_pointer + offset);
}

}  // namespace burrow::arch
