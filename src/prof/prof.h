// The heap profiler: which allocations are sampled, where they came from, and who reads that.
//
// What. Go's heap profile for any program: a sample every 512 KiB of allocation on average, each
// with its stack and its size, kept per site as allocated and freed counts; written as pprof's
// protobuf or as Go's legacy text, with functions and lines in it.
//
// How.
//  1. sampler.cc draws distances and installs itself in `heap::ProfilerHooks`. The heap calls back
//     for each sampled block and at its end (heap/mheap.h, "Sampling").
//  2. unwind.cc takes the stack, frame by frame, by rows of the compiler's unwind information: they
//     say where the caller's frame and its rbp are. A row is found once (eh_frame.cc, cfi.cc) and
//     kept by its return address (row_memo.h), so that a frame costs about as much as following a
//     frame pointer and is right everywhere. A loop that allocates is sampled in the same place
//     again and again: last_walk.h keeps what the last walk of the thread read, and when that is
//     still there, its frames are the answer. What a row cannot say (signal frames, odd
//     expressions, code without unwind information, stacks whose end is not known, glibc before
//     2.35) sends the whole walk to libgcc's unwinder, which is right too but 30 times slower.
//     code_modules.cc sees to it that rows of an unloaded library do not serve its successor.
//  3. buckets.cc counts by stack and size, in memory of its own, and finds a block's bucket at its
//     end.
//  4. profile.cc makes a snapshot, a difference of two, and scales samples to estimates.
//  5. symbolize.cc turns addresses into functions and lines by asking `burrow symbolize`, another
//     process: debug information of a large program takes hundreds of megabytes to read, which must
//     not show up in the program under study. Without the helper, dladdr's names serve. names.cc
//     makes symbols readable, there and in the helper.
//  6. pprof_writer.cc and text_writer.cc write. A record's stack is the bucket's own, and each
//     address is named once (`Symbols`): many stacks have few addresses. Mappings with frames that
//     have no function are marked so, and readers look for them in files that they may have.
//  7. at_exit.cc writes BURROW_PROFILE when the owner (owner.h) ends or is sent a signal. A signal
//     may interrupt whatever holds a lock, so its handler only wakes a thread that was there
//     before (os/signal_watch.h), and that thread ends the process by the signal.
//
// Invariants. Stored addresses are return address - 1, so that they lie inside the call. For every
// bucket frees <= allocs. A block is in the live table from its sampling to its end. A walk by rows
// gives what libgcc's gives: BURROW_DEBUG=unwindcheck=1 makes both and compares. It reads only
// between the stack pointer and the end of the thread's stack.
//
// Locks. kProfReaders guards the symbol cache; kProfBuckets the tables. Nothing is allocated from
// the heap under either of them in a hook; the unwinder is guarded against its own allocations.
//
// Rejected.
//  - libunwind: it exports _Unwind_* and asks dl_iterate_phdr, whose lock a thread in dlopen
//    holds while it allocates (jemalloc#2505). libgcc 12 uses glibc's lock-free _dl_find_object.
//  - Frame pointers throughout: Debian's libraries are built without.
//  - Frame pointers where libgcc's walk showed that they lead to the same caller (the first design
//    here): most stacks under Debian have a frame without one, and the whole walk fell back. Rows
//    hold for each frame by itself and say "frame pointer" where it is one.
//  - Checking for unloaded libraries by dl_iterate_phdr's counters: its lock is held by threads
//    that allocate in a callback. By _dl_find_object in each frame: more than the rest of a step.
//  - Keeping the outer part of the last walk as well, for walks that differ in their inner frames:
//    comparing, and copying for the next time, takes as many instructions a frame as a row does.
//  - A thread that is made when the signal comes: pthread_create is not for signal handlers.
//  - One merged profile of a shell and all that it starts: whose memory it is would be lost.
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
