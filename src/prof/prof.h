// The heap profiler: which allocations are sampled, where they came from, and who reads that.
//
// What. Go's heap profile for any program: a sample every 512 KiB of allocation on average, each
// with its stack and its size, kept per site as allocated and freed counts; written as pprof's
// protobuf or as Go's legacy text, with functions and lines in it.
//
// How.
//  1. sampler.cc draws distances and installs itself in `heap::ProfilerHooks`. The heap calls back
//     for each sampled block and at its end (heap/mheap.h, "Sampling").
//  2. unwind.cc takes the stack. libgcc's unwinder is right but slow; frame pointers are fast but
//     only right where the code keeps them. Each full unwind checks, frame by frame, whether the
//     frame pointer would have led to the same caller, and remembers the return addresses where it
//     did (`TrustedFrames`). A walk by frame pointers goes on only over such addresses, inside the
//     part of the stack that a full unwind has seen; anything else falls back.
//  3. buckets.cc counts by stack and size, in memory of its own, and finds a block's bucket at its
//     end.
//  4. profile.cc makes a snapshot, a difference of two, and scales samples to estimates.
//  5. symbolize.cc turns addresses into functions and lines by asking `burrow symbolize`, another
//     process: debug information of a large program takes hundreds of megabytes to read, which must
//     not show up in the program under study. Without the helper, dladdr's names serve.
//  6. pprof_writer.cc and text_writer.cc write; at_exit.cc writes BURROW_PROFILE when the owner
//  ends.
//
// Invariants. Stored addresses are return address - 1, so that they lie inside the call. For every
// bucket frees <= allocs. A block is in the live table from its sampling to its end.
//
// Locks. kProfReaders guards the symbol cache; kProfBuckets the tables. Nothing is allocated from
// the heap under either of them in a hook; the unwinder is guarded against its own allocations.
//
// Rejected.
//  - libunwind: it exports _Unwind_* and asks dl_iterate_phdr, whose lock a thread in dlopen
//    holds while it allocates (jemalloc#2505). libgcc 12 uses glibc's lock-free _dl_find_object.
//  - Frame pointers throughout: Debian's libraries are built without.
//  - Symbols in process (libbacktrace, libdw): 400 MB for one clang.
//  - libm's log and exp: one more library in every process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::prof {

/// Go's default of runtime.MemProfileRate.
inline constexpr int64_t kDefaultRate = 512 * 1024;

/// Mean bytes between samples; 1: every allocation; 0: off. From BURROW_PROFRATE at start.
[[nodiscard]] int64_t rate();
void set_rate(int64_t bytes);

/// Bytes that the profiler holds from the OS (MemStats.BuckHashSys).
[[nodiscard]] size_t memory_bytes();

/// Installs the profiler if it is not yet; the preload does so when it is loaded.
void start();

}  // namespace burrow::prof
