// The collected heap's part of the process's figures. See gc.h.
#pragma once

#include "heap/stats.h"

namespace burrow::gc {

struct CycleStats;

/// What collecting has had of the processors since the collector was started; from 0 to 1.
[[nodiscard]] double cpu_fraction(const CycleStats& stats);

/// CollectorHooks::add_figures.
void add_figures(heap::HeapStats& to);

}  // namespace burrow::gc
