// MCache: one thread's share of the heap, and the two fast paths. See mheap.h for the whole.
//
// Each class has a slot: a magazine that `malloc` pops from and one that `free` pushes to. When
// the first is empty and the second is not, they change places, so a loop of malloc and free turns
// over without leaving the thread; otherwise whole magazines are traded with MCentral.
//
// Signals. malloc in a signal handler is not allowed by POSIX, but programs do it. Every operation,
// fast or slow, takes the cache out of `t_cache` for its duration (`CacheHold`): two plain stores.
// A handler that finds no cache there although the thread owns one (`t_owned`) gets memory from a
// reserve (reserve.h), and what it frees waits in `deferred` until the next slow path.
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

namespace burrow::heap {

/// What only slow paths touch of a class.
struct SlotState {
  Magazine* pops = nullptr;     ///< the magazine behind ClassSlot::top
  Magazine* pushes = nullptr;   ///< the magazine behind ClassSlot::free_end
  uint32_t held = 0;            ///< blocks held back behind the next sample
  uint32_t held_from = 0;       ///< the slot of the first of them
  uint32_t target = 0;          ///< blocks to load at the next refill; doubles up to capacity
  uint64_t loaded = 0;          ///< blocks ever loaded into `pops`, and sampled ones
  uint64_t unloaded = 0;        ///< blocks ever taken out of `pushes`, and sampled ones
};

/// One thread's cache. Its fields belong to that thread; others read them for figures only.
struct MCache {
  std::array<ClassSlot, kNumClasses> slots;  // first: the page table's offsets count from here
  std::array<SlotState, kNumClasses> states;
  MCache* next = nullptr;        ///< in the registry
  MCache* prev = nullptr;
  int64_t sample_distance = 0;   ///< bytes until the next sample; see mheap.h, "Sampling"
  uint32_t sample_epoch = 0;     ///< the epoch `sample_distance` was drawn in
  bool muted = false;            ///< the profiler is at work: take no samples
  std::atomic<void*> deferred{nullptr};  ///< blocks freed by signal handlers meanwhile

  /// A cache for the calling thread, registered; null when memory is out.
  static MCache* create();

  /// Sends everything home and gives the cache's memory back.
  static void destroy(MCache* cache);

  /// A block out of a refilled magazine, or one for the profile. Null when memory is out.
  struct Refill {
    void* block = nullptr;
    bool sampled = false;
  };

  /// Finds a block when the class's magazine has none to pop. REQUIRES: the cache is held.
  [[nodiscard]] Refill refill(SizeClass c);

  /// Pushes a freed block whose class's push magazine is full. REQUIRES: the cache is held.
  void overflow(SizeClass c, void* block);

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
  [[nodiscard]] bool ready_magazines(SizeClass c);
  [[nodiscard]] size_t swap_magazines(SizeClass c);
  [[nodiscard]] size_t find_blocks(SizeClass c);
  [[nodiscard]] size_t pushed(SizeClass c) const;
  void open_pushes(SizeClass c);
  void refresh_distance();
  void load(SizeClass c, bool& due);
  void arm(SizeClass c, size_t count);
  void flush_class(SizeClass c);
};

/// The calling thread's cache while no operation uses it; else null.
BURROW_HIDDEN extern constinit thread_local MCache* t_cache;

/// The calling thread's cache, or null before its first allocation and at its end.
BURROW_HIDDEN extern constinit thread_local MCache* t_owned;

/// Takes the cache out of `t_cache` for an operation. The fences order the stores towards this
/// thread's own signal handlers, which is all that is needed.
class CacheHold {
 public:
  explicit BURROW_ALWAYS_INLINE CacheHold(MCache* cache) : cache_(cache) {
    t_cache = nullptr;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  BURROW_ALWAYS_INLINE ~CacheHold() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    t_cache = cache_;
  }

  CacheHold(const CacheHold&) = delete;
  CacheHold& operator=(const CacheHold&) = delete;

 private:
  MCache* cache_;
};

/// All caches, for figures, verification and fork.
struct CacheRegistry {
  Mutex lock{LockRank::kCacheRegistry};
  MCache* first BURROW_GUARDED_BY(lock) = nullptr;
  uint32_t count BURROW_GUARDED_BY(lock) = 0;
  /// Blocks of threads that have ended.
  std::array<uint64_t, kNumClasses> mallocs BURROW_GUARDED_BY(lock){};
  std::array<uint64_t, kNumClasses> frees BURROW_GUARDED_BY(lock){};
};

extern constinit CacheRegistry g_caches;

/// Slot offset for a size up to kMaxTinySize, see tiny_index.
inline constexpr auto kTinySlotOf = [] {
  std::array<uint16_t, kTinyClassOf.size()> table{};
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = slot_offset(SizeClass(kTinyClassOf[i]));
  }
  return table;
}();

inline ClassSlot& slot_at(MCache* cache, size_t offset) {
  return *reinterpret_cast<ClassSlot*>(reinterpret_cast<char*>(cache) + offset);
}

/// Pops a block into `p`. False when the slow path has to decide; `p` is then the magazine's
/// bottom (it is empty, or a sample is due) or a block whose mark is damaged.
BURROW_ALWAYS_INLINE bool pop_block(MCache* cache, size_t offset, void*& p) {
  CacheHold hold(cache);
  ClassSlot& slot = slot_at(cache, offset);
  p = *slot.top;
  if (BURROW_UNLIKELY(*static_cast<uintptr_t*>(p) != free_mark(p))) {
    return false;
  }
  --slot.top;
  *static_cast<uintptr_t*>(p) = 0;
  return true;
}

/// Pushes a block of a slot; false when its magazine is full. REQUIRES: the cache is held.
BURROW_ALWAYS_INLINE bool push_to_slot(ClassSlot& slot, void* p, uintptr_t mark) {
  void** at = slot.free_end;
  if (BURROW_UNLIKELY(at == slot.free_limit)) {
    return false;
  }
  *static_cast<uintptr_t*>(p) = mark;
  *at = p;
  slot.free_end = at + 1;
  return true;
}

/// Frees a block of a class up to kMaxTinySize; false, with nothing done, when anything is out of
/// the ordinary: not such a block, not its start, free already, or no room.
BURROW_ALWAYS_INLINE bool push_block(MCache* cache, void* p) {
  size_t offset = reinterpret_cast<Address>(p) - g_arena.base;
  size_t page = offset >> kPageShift;
  if (BURROW_UNLIKELY(page >= g_arena.page_count || cache == nullptr)) {
    return false;
  }
  // Relaxed: see span_of_page.
  ClassSlot& slot = slot_at(cache, g_arena.class_slots[page].load(std::memory_order_relaxed));
  uint64_t inverse = slot.inverse;
  if (BURROW_UNLIKELY(offset * inverse >= inverse)) {
    return false;
  }
  uintptr_t mark = free_mark(p);
  if (BURROW_UNLIKELY(*static_cast<uintptr_t*>(p) == mark)) {
    return false;
  }
  CacheHold hold(cache);
  return push_to_slot(slot, p, mark);
}

}  // namespace burrow::heap
