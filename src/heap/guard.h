// Blocks before a page without access, for a sample of hardened mode's allocations. See hardened.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutex.h"

namespace burrow::heap {

struct MSpan;

/// Return addresses of a call, for reports.
struct StackTrace {
  static constexpr size_t kDepth = 10;
  uint32_t count = 0;
  uintptr_t pcs[kDepth] = {};

  /// Takes the calling thread's stack through the profiler's hook; empty without a profiler.
  void capture();

  /// Prints the title and a line for each frame to standard error; nothing when empty.
  void print(const char* title) const;
};

/// Reads the rate and installs the SIGSEGV handler that reports touches of a guard.
void guard_init();

/// A guarded block when this allocation is one of the sample, else null.
[[nodiscard]] void* guard_allocate(size_t size, size_t alignment);

/// Takes all access from a guarded block. Ends the program when `p` is not its start or it was
/// freed before.
void guard_free(MSpan* span, void* p);

/// The size that was asked for.
[[nodiscard]] size_t guard_size(const MSpan* span);

/// For fork.
Mutex& guard_lock();

}  // namespace burrow::heap
