// What BURROW_MEMLIMIT may be. See mheap.h.
#pragma once

#include <cstddef>

#include "base/units.h"

namespace burrow::heap {

/// No program starts with less: a limit below it has lost its unit.
inline constexpr size_t kLeastLimit = kMiB;

}  // namespace burrow::heap
