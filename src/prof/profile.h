// Heap profiles as values. See prof.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace burrow::prof {

/// One allocation site: a stack and an object size, with what was sampled there.
struct ProfileRecord {
  /// PC-1 of each return address, innermost first; in memory of the profiler that is never freed.
  std::span<const uintptr_t> stack;
  int64_t object_size = 0;    ///< bytes of the blocks counted here
  int64_t alloc_objects = 0;  ///< sampled allocations since the start
  int64_t alloc_bytes = 0;
  int64_t inuse_objects = 0;  ///< of those, still live; negative in a difference when they shrank
  int64_t inuse_bytes = 0;
};

/// A snapshot, in sampled figures; `scale` makes estimates of them.
struct HeapProfile {
  int64_t rate = 0;         ///< mean bytes between samples
  int64_t time_ns = 0;      ///< when it was taken, since 1970
  int64_t duration_ns = 0;  ///< of a difference, the time between its ends; else 0
  std::vector<ProfileRecord> records;
};

/// The profile of the calling process, now.
[[nodiscard]] HeapProfile take_heap_profile();

/// later - earlier, record by record; records without a change are left out. REQUIRES: both are
/// snapshots of this process.
[[nodiscard]] HeapProfile subtract(const HeapProfile& later, const HeapProfile& earlier);

/// An estimate of the true figures behind `count` samples of `bytes` together, as Go's
/// scaleHeapSample: each is divided by the chance 1 - exp(-(bytes/count)/rate) of being sampled.
struct Scaled {
  int64_t count = 0;
  int64_t bytes = 0;
};

[[nodiscard]] Scaled scale(int64_t count, int64_t bytes, int64_t rate);

}  // namespace burrow::prof
