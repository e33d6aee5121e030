// Heap profiles for `go tool pprof`, as Go's runtime/pprof has them.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstdint>

namespace burrow {

/// Mean bytes allocated between two samples; 1 samples every allocation, 0 none. The default is
/// 512 KiB; BURROW_PROFRATE sets it at start.
[[nodiscard]] int64_t mem_profile_rate();

/// Sets the rate for allocations from now on. Set it once and early: readers scale all samples by
/// the last rate.
void set_mem_profile_rate(int64_t bytes);

/// Writes the heap profile of the process to a file in pprof's format (gzip'd protobuf) with
/// functions and lines in it. False when the file cannot be written; errno tells why, and what was
/// at `path` is then gone or unfinished.
[[nodiscard]] bool write_heap_profile(const char* path);

}  // namespace burrow
