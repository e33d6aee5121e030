// MHeap: spans out of pages, and the essay of this layer.
//
// What. One heap for everything that Burrow allocates. Here it serves `malloc` (spans whose owner
// is SpanOwner::kManual); the collector's spans will come out of the same `MHeap`.
//
// How. An allocation takes the first of these that answers:
//  1. `MCache` (mcache.h): the calling thread's loaded magazine of the class, a stack of free
//     blocks, for each of 72 size classes; behind it a second one. No lock, no atomic instruction.
//  2. `MCentral` (mcentral.h): the depot of the class: full magazines, exchanged whole.
//  3. The spans of the class in the same `MCentral`, the fullest first.
//  4. `MHeap`: a new span out of pages (`PageAllocator`), cut into blocks.
//  5. The arena (arena.h): more committed pages.
// Larger requests than kMaxSmallSize start at step 4 and get a span of their own, unless the thread
// freed one of as many pages just before: a few are kept whole (recent_runs.h). `free` reads the
// page's entry in one flat table (the class's slot, and which page of the span it is), checks that
// a block starts at the pointer, and pushes.
//
// Sampling. Each class counts its allocations down (`ClassSlot::credit`), which the figures need
// in any case. The profiler's next sample is a distance in bytes; when a class gets new credit, the
// credit's bytes are charged to the distance at once, and if the sample falls inside, the credit
// ends just there. So a sample is an ordinary slow-path entry, and the fast paths know nothing of
// it. A sampled block comes from a span of its own kind (SpanState::kSampled) whose pages have no
// entry in the table, so that its `free` takes the slow path too. A thread keeps the last one of
// each class that it freed for its next sample.
//
// Scavenger. Pages that stay idle go back to the OS (scavenge.cc): from slow paths, and from a
// thread of its own, burrow-scavenge, so that a process that falls idle gives back what it holds
// (scavenger.cc). Without such a thread there is no later moment in a program that frees
// and falls idle: there the free itself gives back what is idle beyond 10% of what is in use, 2 MiB
// at least, and a grace. Spans that hold few blocks give back those of the OS's pages in which no
// block is out (blank.cc): in passing, or, where there is the thread, once their class rests. The
// thread is started when the program starts a thread itself (the preload looks
// in at pthread_create), with the scheduler, or with the debug server: see Rejected for why not by
// malloc. A program that keeps to one thread keeps to one, unless BURROW_DEBUG=scavenger=1. It
// sleeps while there is nothing to give back, and ends when the first thread does by pthread_exit,
// so that the last of the program's threads ends the process. A child of fork has none until it
// starts a thread.
//
// Alignment. Every block starts at a multiple of 16, also the smallest. C asks that of no block of
// 8 bytes, and jemalloc, tcmalloc and mimalloc pack them; but glibc promises 16 for every size, and
// there are programs built by a compiler that took it at its word (LLVM 13, with which Firefox
// crashed on jemalloc). The price is 8 bytes for each block of at most 8 (bench/README.md).
//
// Misuse. A free block's first word holds its address xor a secret (`free_mark`). A pop checks it
// (overwritten: "write after free") and clears it; a push refuses a block that carries it (double
// free) or that does not start at a multiple of its size. Blocks that were never handed out carry
// their marks as well: a span opens its pages one by one (`MSpan::open_page`), marks all blocks
// that start in a page when the first of them is wanted, and gives the page its entry in the table
// then, so that frees into pages that are not open take the slow path, which asks `fresh`. That
// costs the pair nothing, and memory at most the rest of one page a class. Spans keep a bitmap of
// returned blocks besides, so that a double free of a block whose mark was destroyed is found
// there.
//
// Invariants.
//  - A block is in exactly one place: with the program, in one magazine, or in its span (bit set,
//    or behind `fresh`). Every block that is not with the program carries its free mark, except
//    behind `MSpan::marked`, and in blank pages: both have no entry in the table.
//  - All blocks that overlap a blank page are in their span.
//  - A large block's span is kCached exactly while it is in one cache's RecentRuns, or on its way
//    out of it.
//  - A page belongs to at most one span; the page tables say so for all its pages, but for a large
//    span's after the first.
//  - Committed = used + free-backed + free-unbacked pages; the limit (limit.cc) is kept for the
//    first two.
//
// Locks. registry < central (one class at a time) < heap < metadata, see LockRank. No system
// call that can block for long is made under a lock: madvise is, under the heap's for at most one
// chunk at a time, under a central's for the pages of one span.
//
// Rejected.
//  - Free lists threaded through the blocks: a pop waits for the block's cache line to learn the
//    next one, and every transfer walks. Arrays of pointers (magazines) moved whole cost the same
//    instructions, run ahead of the misses, and leave no link to overwrite.
//  - Spans owned by threads with a remote-free list each (mimalloc's shape, and the first design
//    here): one atomic exchange a remote free against one lock for a magazine of up to 128.
//    Remote blocks go home through the depot instead.
//  - A magazine for pops and another for pushes that change places (the shape of mimalloc's
//    lists). A loop of malloc and free then comes to the slow path by itself, so that even the
//    countdown can go; but blocks are reused oldest first, and the caches miss: 2.5 times the
//    best peer's time for 8 KiB blocks replaced at random, against 1.1 for one stack.
//  - A scavenger's thread that the free which leaves much idle starts: that free may be libc's own,
//    made under the locks that pthread_create takes (it frees stacks under one), or a signal
//    handler's. A thread by clone alone would be free of that and of `__libc_single_threaded`, but
//    setuid does not reach it: it would keep the rights that a server gives up.
//  - A scavenger's thread in every program: unshare and setns refuse processes with threads, and
//    libstdc++ and stdio take locks from the first one on. (jemalloc's is off by default.)
//  - Large blocks kept by length with some room to spare: a sized delete could no longer be checked
//    against the length, and blocks would take more than was asked for.
//  - mmap for large blocks: the arena answers "is it ours" and finds any span with one load.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "heap/mspan.h"
#include "heap/page_allocator.h"

namespace burrow::heap {

/// The page heap. One instance, `g_mheap`.
class MHeap {
 public:
  constexpr MHeap() = default;

  /// A span cut into blocks of a class; null when memory is out.
  [[nodiscard]] MSpan* allocate_blocks(SizeClass c, SpanState state);

  /// A span that is one block of at least `bytes`, aligned; null when memory is out.
  /// `need_zero` of the span tells whether it may hold old data.
  [[nodiscard]] MSpan* allocate_large(size_t bytes, size_t alignment, SpanState state);

  /// Takes a span back. REQUIRES: nothing points into it any more.
  void free_span(MSpan* span);
  /// All of a list, linked by `next`.
  void free_spans(MSpan* list);

  /// Changes a large span's length in place; false when its neighbours are in use.
  [[nodiscard]] bool resize_large(MSpan* span, size_t bytes);

  /// Moves the first `bytes` of a large block to another by page tables; false (and nothing done)
  /// when the system cannot. The caller frees `from`.
  [[nodiscard]] bool move_large(MSpan* from, MSpan* to, size_t bytes);

  /// The limit on memory held from the OS, hard but for collected spans; returns the previous one.
  size_t set_limit(size_t bytes);

  [[nodiscard]] size_t limit() const { return limit_.load(std::memory_order_relaxed); }

  /// No limit but the one that is set.
  void ignore_container();

  /// See heap.h.
  void fit_address_space_limit();

  /// Counts bytes of spans in use that went back to the OS.
  void note_blank(size_t bytes);

  /// Gives free pages back to the OS, all of them; returns their bytes.
  size_t scavenge_all();

  /// For slow paths that free no span: gives a little back of what has been idle, where there is
  /// no thread for it. Cheap when there is nothing. REQUIRES: the caller holds no lock.
  void scavenge_in_passing() {
    if (BURROW_UNLIKELY(much_idle_.load(std::memory_order_relaxed))) {
      scavenge_now();
    }
  }

  /// One step of the scavenger's thread: gives back a little of what has been idle. Returns when to
  /// take the next step, in ns from now; 0: nothing is idle that should go.
  [[nodiscard]] int64_t scavenge_step();

  /// Figures for HeapStats, in bytes, read under the lock.
  struct Figures {
    size_t committed, used, free_backed, released_total, peak, spans;
    size_t large_bytes;
    uint64_t large_mallocs, large_frees, large_bytes_total;
  };

  [[nodiscard]] Figures figures();

  /// Bytes of all spans but collected ones: what malloc's blocks take of the heap. Cheap.
  [[nodiscard]] size_t manual_bytes() const {
    return manual_pages_.load(std::memory_order_relaxed) * kPageSize;
  }

  void verify();

  /// For fork.
  Mutex& lock() { return lock_; }

 private:
  friend struct MHeapTestPeer;

  MSpan* new_span(PageCount pages, size_t alignment, size_t block_count, SpanState state)
      BURROW_REQUIRES(lock_);
  [[nodiscard]] bool make_room(PageCount pages, SpanState state) BURROW_REQUIRES(lock_);
  [[nodiscard]] bool fits_container(size_t fixed, size_t want) BURROW_REQUIRES(lock_);
  [[nodiscard]] bool shrink_idle(size_t allowed) BURROW_REQUIRES(lock_);
  void settle_moved(MSpan* span);
  static bool heal_tail(const MSpan* span, PageCount keep);
  [[nodiscard]] bool lengthen(MSpan* span, PageCount wanted);
  [[nodiscard]] bool shorten(MSpan* span, PageCount wanted);
  void scavenge_idle(int64_t now, size_t most_pages) BURROW_REQUIRES(lock_);
  void scavenge_if_due(int64_t now) BURROW_REQUIRES(lock_);
  [[nodiscard]] PageCount idle_goal() const BURROW_REQUIRES(lock_);
  [[nodiscard]] bool worth_waking() const BURROW_REQUIRES(lock_);
  [[nodiscard]] bool note_idle() BURROW_REQUIRES(lock_);
  [[nodiscard]] bool holds_too_much() const BURROW_REQUIRES(lock_);
  void release_excess();
  void note_regret(PageCount unbacked) BURROW_REQUIRES(lock_);
  void note_growth(PageCount unbacked) BURROW_REQUIRES(lock_);
  void scavenge_now();
  void note_manual(SpanState state, size_t more, size_t fewer) BURROW_REQUIRES(lock_);

  Mutex lock_{LockRank::kHeap};
  PageAllocator pages_ BURROW_GUARDED_BY(lock_);
  // Relaxed: read as a figure, and under the lock where it matters.
  std::atomic<size_t> limit_{SIZE_MAX};
  static constexpr size_t kNotAsked = 0;
  size_t container_limit_ BURROW_GUARDED_BY(lock_) = kNotAsked;  // see limit.cc
  size_t span_count_ BURROW_GUARDED_BY(lock_) = 0;
  size_t peak_pages_ BURROW_GUARDED_BY(lock_) = 0;
  // Scavenger: what stayed idle since the epoch began, and when it may run again.
  size_t released_pages_total_ BURROW_GUARDED_BY(lock_) = 0;
  size_t blank_total_ BURROW_GUARDED_BY(lock_) = 0;  // bytes, ever, out of spans in use
  size_t idle_low_water_ BURROW_GUARDED_BY(lock_) = 0;
  int64_t epoch_start_ns_ BURROW_GUARDED_BY(lock_) = 0;
  int64_t next_run_ns_ BURROW_GUARDED_BY(lock_) = 0;
  uint32_t ticks_ BURROW_GUARDED_BY(lock_) = 0;
  // Without a thread for it: what may be idle besides, what went back at once, and when.
  static constexpr size_t kLeastGrace = 4 * kMiB / kPageSize;
  size_t grace_ BURROW_GUARDED_BY(lock_) = kLeastGrace;
  size_t gone_early_ BURROW_GUARDED_BY(lock_) = 0;
  int64_t gone_early_ns_ BURROW_GUARDED_BY(lock_) = 0;
  // More is idle than should be. Written under the lock; relaxed: a hint.
  std::atomic<bool> much_idle_{false};
  // Of all spans but collected ones. Written under the lock; relaxed: read as a figure.
  std::atomic<size_t> manual_pages_{0};
  // Blocks of state kLarge: bytes now, and all that ever were.
  size_t large_bytes_ BURROW_GUARDED_BY(lock_) = 0;
  uint64_t large_mallocs_ BURROW_GUARDED_BY(lock_) = 0;
  uint64_t large_frees_ BURROW_GUARDED_BY(lock_) = 0;
  uint64_t large_bytes_total_ BURROW_GUARDED_BY(lock_) = 0;
};

extern constinit MHeap g_mheap;

}  // namespace burrow::heap
