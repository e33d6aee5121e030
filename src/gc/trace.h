// BURROW_DEBUG=gctrace=1: a line a cycle, as Go prints it. See gc.h.
#pragma once

#include <cstdint>

namespace burrow::gc {

struct CycleStats;

/// Prints the line when asked for.
void trace_cycle(const CycleStats& stats, int64_t pause_ns);

}  // namespace burrow::gc
