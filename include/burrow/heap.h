// The heap of the program: its limit, and giving memory back. Its figures: memstats.h.
//
// Linking Burrow replaces malloc, free and operators new and delete; these functions are what the
// standard has no name for. All may be called from any thread at any time.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstddef>
#include <cstdint>

#include "burrow/memstats.h"

namespace burrow {

/// Stands for "no limit", as Go's math.MaxInt64.
inline constexpr int64_t kNoMemoryLimit = INT64_MAX;

/// Collects, if there are collected objects, and returns as much free memory to the operating
/// system as possible; Go's debug.FreeOSMemory. True when any was. Not for use in destructors.
bool free_os_memory();

/// Sets the most memory that the heap may hold from the operating system and returns the former
/// limit; a negative number changes nothing. Near it the collector works harder. Above it malloc
/// returns null and operator new throws; `make` goes past it, as Go's heap does, and the collector
/// takes no more than half of the processors to prevent that. BURROW_MEMLIMIT sets it at start.
int64_t set_memory_limit(int64_t bytes);

}  // namespace burrow
