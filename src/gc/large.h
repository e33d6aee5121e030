// Objects over 32 KiB: a span each. See gc.h, "Allocation".
#pragma once

#include <cstddef>

#include "gc/tables.h"

namespace burrow::gc {

/// A zeroed large object; null when memory is out. REQUIRES: the caller is busy (BusyScope).
[[nodiscard]] void* allocate_large(size_t bytes, ObjectKind kind);

/// Frees the large objects that were not marked. After a flip, while nothing marks.
void sweep_large();

/// Large objects, live or not yet swept: their number and bytes.
struct LargeFigures {
  size_t objects = 0;
  size_t bytes = 0;
};

[[nodiscard]] LargeFigures large_figures();

}  // namespace burrow::gc
