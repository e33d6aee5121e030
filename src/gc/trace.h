// Trace: BURROW_DEBUG=gctrace=1, a line a cycle.
#pragma once

#include <cstdint>

#include "base/printer.h"

namespace burrow::gc {

struct CycleStats;

/// Prints the line when asked for: field for field Go's, whose runtime documentation says what
/// each is. `forced`: by collect().
void trace_cycle(const CycleStats& stats, bool forced);

/// Appends the line for `processors` processors.
void print_cycle(Printer& out, const CycleStats& stats, bool forced, int processors);

}  // namespace burrow::gc
