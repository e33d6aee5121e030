// The collected heap's part of the process's figures. See gc.h.
#pragma once

#include "heap/stats.h"

namespace burrow::gc {

/// CollectorHooks::add_figures.
void add_figures(heap::HeapStats& to);

}  // namespace burrow::gc
