// MCache: one thread's share of the heap, and the two fast paths. See mheap.h for the whole.
//
// Each class has a slot: the loaded magazine, a stack that `malloc` pops from and `free` pushes to,
// so that the block freed last, whose lines are warm, is the next to go out. Behind it stands a
// previous magazine, full or empty. When the loaded one runs out or over they change places, and
// only when that does not help a whole magazine is traded with MCentral (J. Bonwick and J. Adams,
// "Magazines and Vmem", USENIX 2001). `credit` counts allocations down to the next look of the
// slow path: see mheap.h, "Sampling".
//
// Idle classes. Each trade with MCentral looks at one other class in turn (`age`): when the thread
// has not used it since the last look, its blocks go home, and those of a depot that nobody uses,
// so that what one phase of a program leaves serves the next. A round of looks is 72 trades.
//
// Signals. malloc in a signal handler is not allowed by POSIX, but programs do it. Every operation,
// fast or slow, sets `ThreadHeap::busy` for its duration (`CacheHold`): two plain stores. A handler
// that finds it set gets memory from a reserve (reserve.h), and what it frees waits in `deferred`
// until the next slow path. A thread without a cache (its first call, its end) is always busy;
// there `inside` tells whether an operation is underway. (The flag is apart from the pointer, and
// only constants are stored to it: storing the pointer away and back made every operation wait for
// the one before.)
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "heap/arena.h"
#include "heap/magazine.h"
#include "heap/mcache_layout.h"
#include "heap/mcentral.h"
#include "heap/recent_runs.h"
#include "heap/sampling.h"

namespace burrow::heap {

/// What only slow paths touch of a class.
struct SlotState {
  Magazine* loaded = nullptr;    ///< the magazine behind ClassSlot::top
  Magazine* previous = nullptr;  ///< full or empty; null until it is needed
  void* spare = nullptr;         ///< a free block for the next sample; null: there is none
  uint32_t target = 0;           ///< blocks to take from spans next time; doubles up to capacity
  bool due = false;              ///< the allocation that finds no credit is sampled
  uint64_t granted = 0;          ///< credit ever given, and sampled blocks handed out
  uint64_t taken = 0;            ///< blocks that ever came here from the central
  uint64_t given = 0;            ///< blocks that ever went there
  uint64_t seen = 0;             ///< allocations and frees as `age` found them last
};

/// One thread's cache. Its fields belong to that thread; others read them for figures only.
struct MCache {
  std::array<ClassSlot, kNumClasses> slots;  // first: the page table's offsets count from here
  std::array<SlotState, kNumClasses> states;
  MCache* next = nullptr;  ///< in the registry
  MCache* prev = nullptr;
  int64_t sample_distance = 0;  ///< bytes until the next sample; see mheap.h, "Sampling"
  uint32_t sample_epoch = 0;    ///< the epoch `sample_distance` was drawn in
  uint8_t age_next = 1;         ///< the class that `age` looks at next
  bool muted = false;           ///< the profiler is at work: take no samples
  uint32_t owner = 0;           ///< the kernel's number of the thread; 0: given up
  void* collected = nullptr;    ///< the collector's part: see CollectorHooks
  RecentRuns runs;              ///< large blocks freed last

  /// A cache for the calling thread, registered; null when memory is out.
  static MCache* create();

  /// Sends everything home and gives the cache's memory back.
  static void destroy(MCache* cache);

  /// Destroys caches of threads that ended without telling, if it comes upon any: looks at the
  /// next few of the registry. REQUIRES: the caller is `self`'s thread and holds no lock.
  static void bury_dead(const MCache* self);

  /// Takes in a freed block of a sampled span; false when the one place for such is taken.
  /// REQUIRES: the cache is held; the block carries its free mark.
  [[nodiscard]] bool keep_spare(SizeClass c, void* block);

  /// A block out of a refilled magazine, or one for the profile. Null when memory is out.
  struct Refill {
    void* block = nullptr;
    bool sampled = false;
  };

  /// The commonest refills, made quick: new credit without a sample, the previous magazine. Null
  /// when there is anything else to see to. REQUIRES: the cache is held.
  [[nodiscard]] void* quick_refill(SizeClass c);

  /// Finds a block when the fast path has no credit or no block. REQUIRES: the cache is held.
  [[nodiscard]] Refill refill(SizeClass c);

  /// Pushes a freed block when the loaded magazine is full. REQUIRES: the cache is held.
  void overflow(SizeClass c, void* block);

  /// Takes unused credit back, so that a change of the sampling rate counts at once.
  /// REQUIRES: the cache is held.
  void revoke_credit();

  /// Keeps a freed large block's run, older ones going for it, or gives it back to the heap.
  /// REQUIRES: the cache is held; the span is kCached.
  void keep_run(MSpan* span);

  /// As charge, without a draw: false, and nothing done, when a sample falls among the bytes or
  /// there is anything else to see to.
  [[nodiscard]] bool charge_unsampled(size_t bytes) {
    auto cost = static_cast<int64_t>(bytes);
    if (muted || sample_epoch != sampling_epoch() || sample_distance <= cost) {
      return false;
    }
    sample_distance -= cost;
    return true;
  }

  /// Sends all cached blocks home.
  void flush();

  /// A figure: blocks the thread has allocated and freed of a class. Any thread may ask.
  [[nodiscard]] uint64_t mallocs_of(SizeClass c) const;
  [[nodiscard]] uint64_t frees_of(SizeClass c) const;

  /// A figure: free blocks of a class that the cache holds.
  [[nodiscard]] size_t cached_of(SizeClass c) const;

  /// Charges `bytes` against the sample distance; true when the sample falls among them.
  /// Redraws the distance when the sampling rate has changed.
  bool charge(size_t bytes);

  void verify();

 private:
  friend struct MCacheTestPeer;
  [[nodiscard]] bool ready(SizeClass c);
  [[nodiscard]] size_t loaded_count(SizeClass c) const;
  void open(SizeClass c, size_t count);
  void swap_magazines(SizeClass c);
  [[nodiscard]] bool make_room(SizeClass c);
  [[nodiscard]] bool find_blocks(SizeClass c);
  [[nodiscard]] uint64_t credit_of(SizeClass c) const;
  [[nodiscard]] uint64_t overdrawn(SizeClass c) const;
  [[nodiscard]] bool take_credit(SizeClass c);
  void grant(SizeClass c);
  void refresh_distance();
  void flush_class(SizeClass c);
  void age(SizeClass in_use);
};

/// What a thread knows of the heap.
struct ThreadHeap {
  MCache* cache = nullptr;  ///< null before the first allocation and at the thread's end
  bool busy = true;         ///< an operation holds the cache, or there is none
  bool inside = false;      ///< a slow operation that has no cache is underway
  std::atomic<void*> deferred{nullptr};  ///< blocks freed by signal handlers meanwhile
};

BURROW_HIDDEN extern constinit thread_local ThreadHeap t_heap;

/// Holds the calling thread's cache for an operation. The fences order the stores towards this
/// thread's own signal handlers, which is all that is needed. REQUIRES: not busy.
class CacheHold {
 public:
  BURROW_ALWAYS_INLINE CacheHold() {
    t_heap.busy = true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  BURROW_ALWAYS_INLINE ~CacheHold() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    t_heap.busy = false;
  }

  CacheHold(const CacheHold&) = delete;
  CacheHold& operator=(const CacheHold&) = delete;
};

/// All caches, for figures, verification and fork.
struct CacheRegistry {
  Mutex lock{LockRank::kCacheRegistry};
  MCache* first BURROW_GUARDED_BY(lock) = nullptr;
  MCache* next_to_look_at BURROW_GUARDED_BY(lock) = nullptr;  ///< see MCache::bury_dead
  uint32_t count BURROW_GUARDED_BY(lock) = 0;
  /// What each cache's RecentRuns may keep. Relaxed: a bound, set under the lock.
  std::atomic<PageCount> run_budget{RecentRuns::kMost};
  /// Blocks of threads that have ended.
  std::array<uint64_t, kNumClasses> mallocs BURROW_GUARDED_BY(lock){};
  std::array<uint64_t, kNumClasses> frees BURROW_GUARDED_BY(lock){};
  /// Large blocks that those took out of their RecentRuns.
  uint64_t hits BURROW_GUARDED_BY(lock) = 0;
  uint64_t hit_bytes BURROW_GUARDED_BY(lock) = 0;

  void set_count(uint32_t n) BURROW_REQUIRES(lock) {
    count = n;
    run_budget.store(RecentRuns::budget(n), std::memory_order_relaxed);
  }
};

extern constinit CacheRegistry g_caches;

namespace internal {

template <size_t N>
consteval std::array<uint16_t, N> slots_of(const std::array<uint8_t, N>& classes) {
  std::array<uint16_t, N> table{};
  for (size_t i = 0; i < N; ++i) {
    table[i] = slot_offset(SizeClass(classes[i]));
  }
  return table;
}

}  // namespace internal

/// Slot offset for a size up to kMaxTinySize, see tiny_index, and for one beyond, see medium_index.
inline constexpr auto kTinySlotOf = internal::slots_of(kTinyClassOf);
inline constexpr auto kMediumSlotOf = internal::slots_of(kMediumClassOf);

/// Offset of the slot that serves a request. REQUIRES: size <= kMaxSmallSize.
BURROW_ALWAYS_INLINE size_t slot_for_size(size_t size) {
  return BURROW_LIKELY(size <= kMaxTinySize) ? kTinySlotOf[tiny_index(size)]
                                             : kMediumSlotOf[medium_index(size)];
}

inline ClassSlot& slot_at(MCache* cache, size_t offset) {
  return *reinterpret_cast<ClassSlot*>(reinterpret_cast<char*>(cache) + offset);
}

/// Pops a block into `p`. False when the slow path has to decide; `p` is then the magazine's
/// bottom (it is empty), a free block that is still in the magazine (no credit), or a block whose
/// mark is damaged. REQUIRES: the thread is not busy.
BURROW_ALWAYS_INLINE bool pop_block(size_t offset, void*& p) {
  CacheHold hold;
  ClassSlot& slot = slot_at(t_heap.cache, offset);
  void** top = slot.top;
  p = *top;
  if (BURROW_UNLIKELY(*static_cast<uintptr_t*>(p) != free_mark(p))) {
    return false;
  }
  // Worded so that one instruction subtracts and tests.
  if (BURROW_UNLIKELY(__builtin_sub_overflow(slot.credit, 1, &slot.credit))) {
    return false;
  }
  slot.top = top - 1;
  // The next block's mark will be read: a cold one comes in meanwhile.
  __builtin_prefetch(top[-1]);
  *static_cast<uintptr_t*>(p) = 0;
  return true;
}

/// Pushes a block of a slot; false when its magazine is full. REQUIRES: the cache is held.
BURROW_ALWAYS_INLINE bool push_to_slot(ClassSlot& slot, void* p) {
  void** top = slot.top;
  if (BURROW_UNLIKELY(top == slot.limit)) {
    return false;
  }
  *static_cast<uintptr_t*>(p) = free_mark(p);
  top[1] = p;
  slot.top = top + 1;
  return true;
}

/// Frees a block of a class; false, with nothing done, when anything is out of the ordinary: not
/// such a block, not its start, free already, or no room. `entry` is its page's.
BURROW_ALWAYS_INLINE bool push_block(void* p, size_t entry) {
  if (BURROW_UNLIKELY(t_heap.busy)) {
    return false;
  }
  ClassSlot& slot = slot_at(t_heap.cache, entry_slot(entry));
  size_t offset = entry_offset(entry, reinterpret_cast<uintptr_t>(p));
  uint64_t inverse = slot.inverse;
  if (BURROW_UNLIKELY(offset * inverse >= inverse) || BURROW_UNLIKELY(may_be_free(p))) {
    return false;
  }
  CacheHold hold;
  return push_to_slot(slot, p);
}

}  // namespace burrow::heap
