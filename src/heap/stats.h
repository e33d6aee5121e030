// The heap's figures, under the names of Go's runtime.MemStats. See heap.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace burrow::heap {

/// One size class's line of `HeapStats::by_size`.
struct BySize {
  uint32_t size = 0;     ///< bytes of an object of this class
  uint64_t mallocs = 0;  ///< objects ever allocated
  uint64_t frees = 0;    ///< objects ever freed
};

/// A snapshot. Taken without stopping the world: figures of threads that allocate meanwhile may be
/// apart by what they did in that time; in a quiet process they are exact. All zero in a signal
/// handler that interrupted the heap.
struct HeapStats {
  uint64_t alloc = 0;          ///< bytes of live objects (in size-class bytes)
  uint64_t total_alloc = 0;    ///< bytes ever allocated
  uint64_t sys = 0;            ///< bytes obtained from the OS: the sum of the *_sys below
  uint64_t lookups = 0;        ///< always 0, as in Go
  uint64_t mallocs = 0;        ///< objects ever allocated
  uint64_t frees = 0;          ///< objects ever freed
  uint64_t heap_alloc = 0;     ///< same as alloc
  uint64_t heap_sys = 0;       ///< bytes of committed arena
  uint64_t heap_idle = 0;      ///< bytes in free pages
  uint64_t heap_inuse = 0;     ///< bytes in spans in use
  uint64_t heap_released = 0;  ///< bytes of free pages that are not backed by the OS
  uint64_t heap_objects = 0;   ///< live objects
  uint64_t stack_inuse = 0;    ///< goroutine stacks; 0 without the scheduler
  uint64_t stack_sys = 0;
  uint64_t mspan_inuse = 0;  ///< bytes of span descriptors in use
  uint64_t mspan_sys = 0;
  uint64_t mcache_inuse = 0;  ///< bytes of per-thread caches in use
  uint64_t mcache_sys = 0;
  uint64_t buck_hash_sys = 0;  ///< profiling tables (filled in by prof)
  uint64_t gc_sys = 0;
  uint64_t other_sys = 0;  ///< page tables of the heap and other bookkeeping
  uint64_t next_gc = 0;
  uint64_t last_gc = 0;
  uint64_t pause_total_ns = 0;
  uint32_t num_gc = 0;
  uint32_t num_forced_gc = 0;
  double gc_cpu_fraction = 0;
  bool enable_gc = false;                    ///< collections begin by themselves
  std::array<uint64_t, 256> pause_ns{};      ///< Go's ring: of collection n at (n + 255) % 256
  std::array<uint64_t, 256> pause_end_ns{};  ///< in ns since 1970
  // Beyond Go's fields:
  uint64_t cached_bytes = 0;     ///< free objects held in thread caches and the depots, large too
  uint64_t cached_objects = 0;   ///< their number
  uint64_t large_bytes = 0;      ///< live bytes of objects over 32 KiB
  uint64_t large_objects = 0;    ///< live objects over 32 KiB
  uint64_t peak_committed = 0;   ///< highest heap_sys - heap_released seen
  uint64_t memory_limit = 0;     ///< UINT64_MAX when there is none
  uint64_t scavenged_total = 0;  ///< bytes ever returned to the OS
  uint32_t threads = 0;          ///< live thread caches
  uint32_t by_size_count = 0;    ///< lines of by_size in use
  std::array<BySize, 80> by_size{};
};

/// Takes a snapshot of the heap's figures.
void read_stats(HeapStats& stats);

}  // namespace burrow::heap
