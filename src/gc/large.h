// Objects over 32 KiB: a span each. See gc.h, "Allocation".
#pragma once

#include <cstddef>

#include "base/mutex.h"
#include "gc/tables.h"

namespace burrow::gc {

/// A large object; null when memory is out. Its first `dirty_bytes` are to be zeroed by the caller,
/// outside of its BusyScope: that may take long. REQUIRES: the caller is busy.
[[nodiscard]] void* allocate_large(size_t bytes, ObjectKind kind, size_t& dirty_bytes);

/// From now on what was not marked is freed: by who allocates, and by `sweep_large`. REQUIRES: the
/// world is stopped, and the flip was.
void begin_large_sweep();

/// Frees the rest of the large objects that were not marked. REQUIRES: nothing marks.
void sweep_large();

/// Large objects: those that live or are not swept yet, and all ever made.
struct LargeFigures {
  size_t objects = 0;
  size_t bytes = 0;
  uint64_t total_objects = 0;
  uint64_t total_bytes = 0;
};

[[nodiscard]] LargeFigures large_figures();

/// The same. REQUIRES: the world is stopped.
[[nodiscard]] LargeFigures large_figures_while_stopped();

/// For fork.
[[nodiscard]] RankedMutex& large_lock();

}  // namespace burrow::gc
