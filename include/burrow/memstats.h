// The figures of the heap, as Go's runtime.MemStats has them.
#pragma once

#include <burrow/internal/cxx20.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace burrow {

/// One size class of `MemStats::by_size`.
struct SizeStats {
  uint32_t size = 0;     ///< most bytes of an object of this class
  uint64_t mallocs = 0;  ///< objects ever allocated
  uint64_t frees = 0;    ///< objects ever freed
};

/// Named as in Go, and over both heaps: what malloc and new gave out, and collected objects. Bytes
/// where nothing else is said. A collected object counts as live until a collection has found it
/// dead; objects count with the size of their class.
struct MemStats {
  uint64_t alloc = 0;        ///< as heap_alloc
  uint64_t total_alloc = 0;  ///< ever allocated
  uint64_t sys = 0;          ///< held from the operating system: the sum of the *_sys below
  uint64_t lookups = 0;      ///< 0, as in Go
  uint64_t mallocs = 0;      ///< objects ever allocated
  uint64_t frees = 0;        ///< objects ever freed

  uint64_t heap_alloc = 0;     ///< live objects
  uint64_t heap_sys = 0;       ///< held for the heap
  uint64_t heap_idle = 0;      ///< of heap_sys, in free pages
  uint64_t heap_inuse = 0;     ///< of heap_sys, in pages with objects
  uint64_t heap_released = 0;  ///< of heap_idle, returned to the operating system
  uint64_t heap_objects = 0;   ///< live objects, their number

  uint64_t stack_inuse = 0;    ///< goroutines' stacks
  uint64_t stack_sys = 0;      ///< held for goroutines' stacks
  uint64_t mspan_inuse = 0;    ///< descriptors of spans in use
  uint64_t mspan_sys = 0;      ///< held for descriptors
  uint64_t mcache_inuse = 0;   ///< caches of threads and processors
  uint64_t mcache_sys = 0;     ///< held for caches
  uint64_t buck_hash_sys = 0;  ///< the profiler's tables
  uint64_t gc_sys = 0;         ///< the collector's tables
  uint64_t other_sys = 0;      ///< other bookkeeping

  uint64_t next_gc = 0;  ///< heap size that the next collection is to keep below; UINT64_MAX: off
  uint64_t last_gc = 0;  ///< when the last collection ended, in ns since 1970; 0: none yet
  uint64_t pause_total_ns = 0;               ///< world stopped, in all collections
  std::array<uint64_t, 256> pause_ns{};      ///< of collection n at (n + 255) % 256, in ns
  std::array<uint64_t, 256> pause_end_ns{};  ///< when those ended, in ns since 1970
  uint32_t num_gc = 0;                       ///< collections
  uint32_t num_forced_gc = 0;                ///< of them, asked for by `collect`
  /// Share of the processors' time that the collector's threads had since the first collected
  /// object, between 0 and 1.
  double gc_cpu_fraction = 0;
  bool enable_gc = true;  ///< collections start by themselves: see set_gc_percent

  /// By size class, in rising order; `by_size_count` of them. Objects above 32 KiB have no class.
  /// Dead collected objects in what a thread is allocating from are not among the frees yet.
  std::array<SizeStats, 80> by_size{};
  uint32_t by_size_count = 0;

  int64_t memory_limit = 0;  ///< as set_memory_limit (not in Go)
};

/// A snapshot. The world is not stopped: what other threads allocate meanwhile may be in one figure
/// and not yet in another.
[[nodiscard]] MemStats read_mem_stats();

}  // namespace burrow
