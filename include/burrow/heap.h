// The heap of the program: its figures, its limit, and giving memory back.
//
// Linking Burrow replaces malloc, free and operators new and delete; these functions are what the
// standard has no name for. All may be called from any thread at any time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow {

/// The heap's figures, named as in Go's runtime.MemStats. Bytes where nothing else is said.
struct MemStats {
  uint64_t heap_alloc = 0;     ///< live objects
  uint64_t total_alloc = 0;    ///< ever allocated
  uint64_t sys = 0;            ///< held from the operating system, for all purposes
  uint64_t mallocs = 0;        ///< objects ever allocated
  uint64_t frees = 0;          ///< objects ever freed
  uint64_t heap_sys = 0;       ///< held for the heap
  uint64_t heap_idle = 0;      ///< of heap_sys, in free pages
  uint64_t heap_inuse = 0;     ///< of heap_sys, in pages with objects
  uint64_t heap_released = 0;  ///< of heap_idle, returned to the operating system
  uint64_t heap_objects = 0;   ///< live objects, their number
  uint64_t buck_hash_sys = 0;  ///< the profiler's tables
  uint64_t memory_limit = 0;   ///< as set_memory_limit; kNoMemoryLimit when there is none
};

/// Stands for "no limit".
inline constexpr size_t kNoMemoryLimit = SIZE_MAX;

/// A snapshot. What other threads allocate meanwhile may be in one figure and not yet in another.
[[nodiscard]] MemStats read_mem_stats();

/// Returns as much free memory to the operating system as possible, as Go's debug.FreeOSMemory.
/// True when any was.
bool free_os_memory();

/// Sets the most memory that the heap may hold from the operating system and returns the former
/// limit. Above it malloc returns null and operator new throws. BURROW_MEMLIMIT sets it at start.
size_t set_memory_limit(size_t bytes);

}  // namespace burrow
