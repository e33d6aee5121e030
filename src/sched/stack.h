// Virtual-memory stacks: address space in slots, one a goroutine. See sched.h, "Stacks".
//
// A slot, from its lower end: a guard (64 KiB or more, so that a frame has to be that large to
// step over it; compilers' -fstack-clash-protection probes each page and cannot), room that gets
// its pages when it is touched, the Goroutine. The upper end is shifted by a colour (`color_of`):
// slots are powers of two apart, and hot lines and pages of all stacks would else fall into the
// same sets of the caches and of the TLB. The kernel gives page tables for 2 MiB at a time; slots
// of 2 MiB and more start in the middle of such a piece, so that a stack's hot page and its
// neighbour's guard share one.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/mutex.h"
#include "base/units.h"
#include "os/os.h"
#include "os/stack_memory.h"
#include "sched/goroutine.h"

namespace burrow::sched {

/// What BURROW_STACK sets: 1,000,000 small frames deep, and 1,000,000 of them in 47 bits.
inline constexpr size_t kDefaultStackBytes = 64 * kMiB;
inline constexpr size_t kMinStackBytes = 128 * kKiB;
inline constexpr size_t kMaxStackBytes = size_t{1} << 40;
inline constexpr size_t kMinGuardBytes = 64 * kKiB;

/// The stacks of the process.
class StackArea {
 public:
  static constexpr size_t kMaxRegions = 2048;
  static constexpr size_t kMaxSlots = size_t{1} << 22;

  /// One reservation of equal slots.
  struct Region {
    char* base = nullptr;
    std::atomic<size_t> slots{0};  ///< 0: no region yet; set last
    size_t first = 0;              ///< index of its first slot among those of all regions
    std::atomic<size_t> used{0};   ///< slots that have ever had a goroutine
  };

  /// Where a stack is.
  struct Bounds {
    char* slot = nullptr;  ///< the guard's first byte
    char* low = nullptr;   ///< the first usable byte
    Goroutine* goroutine = nullptr;
  };

  /// A goroutine without work on a fresh stack; null when there is no address space (or, where
  /// guards need mappings, no mapping) left.
  [[nodiscard]] Goroutine* make() BURROW_EXCLUDES(lock_);

  /// Why `make` gave null.
  [[nodiscard]] const char* refusal() const { return refusal_; }

  /// Takes the stacks of goroutines without work back: all their pages go to the system. Returns
  /// the bytes.
  size_t recycle(GoroutineList& dead) BURROW_EXCLUDES(lock_);

  /// The slot that holds an address; false when none does.
  [[nodiscard]] bool find(uintptr_t address, Bounds& bounds) const;

  /// Calls f(Goroutine&) for every goroutine that ever was, dead ones included.
  template <typename F>
  void for_each(F f) const {
    // Acquire: pairs with the releases in add_region and make.
    for (size_t i = 0; i < kMaxRegions && regions_[i].slots.load(std::memory_order_acquire); ++i) {
      size_t used = regions_[i].used.load(std::memory_order_acquire);
      for (size_t k = 0; k < used; ++k) {
        f(*goroutine_at(regions_[i], k));
      }
    }
  }

  /// The same for those of slots [first, last), numbered through all regions; the ones after are
  /// fetched ahead.
  template <typename F>
  void for_each_of(size_t first, size_t last, F f) const {
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < kMaxRegions && regions_[i].slots.load(std::memory_order_acquire); ++i) {
      size_t base = regions_[i].first;
      size_t used = regions_[i].used.load(std::memory_order_acquire);
      for (size_t k = std::max(first, base) - base; k < used && base + k < last; ++k) {
        __builtin_prefetch(goroutine_at(regions_[i], k + kAhead));
        f(*goroutine_at(regions_[i], k));
      }
    }
  }

  /// The same for every slot: f(goroutine, its first usable byte). Reading the goroutine of a
  /// recycled slot gives it a page of zeros.
  template <typename F>
  void for_each_slot(F f) const {
    for (size_t i = 0; i < kMaxRegions && regions_[i].slots.load(std::memory_order_acquire); ++i) {
      size_t used = regions_[i].used.load(std::memory_order_acquire);
      for (size_t k = 0; k < used; ++k) {
        f(*goroutine_at(regions_[i], k), regions_[i].base + k * slot_bytes_ + guard_bytes_);
      }
    }
  }

  /// Bytes of a slot, its guard included; of the guard.
  [[nodiscard]] size_t slot_bytes() const { return slot_bytes_; }

  [[nodiscard]] size_t guard_bytes() const { return guard_bytes_; }

  /// Bytes that a goroutine can use before its stack overflows.
  [[nodiscard]] size_t limit_bytes() const {
    return slot_bytes_ - guard_bytes_ - page_colors() * os::kOsPageSize;
  }

  /// What a stack has of pages.
  struct Pages {
    size_t bytes = 0;
    size_t depth = 0;  ///< from the deepest one to the upper end
  };

  /// Of [low, high), whole pages, seen from above: the look ends where 2 MiB have none.
  [[nodiscard]] static Pages pages_of(const char* low, const char* high);

  /// Slots that have ever been used.
  [[nodiscard]] size_t used() const;

  /// Reads BURROW_STACK and the limits of the process. Once, before all else.
  void start();

 private:
  friend struct StackTestPeer;

  [[nodiscard]] size_t color_of(size_t slot) const {
    return slot % 8 * 128 + slot % page_colors() * os::kOsPageSize;
  }

  [[nodiscard]] size_t page_colors() const {
    return std::min<size_t>(slot_bytes_ / (64 * kKiB), 128);
  }

  [[nodiscard]] Goroutine* goroutine_at(const Region& region, size_t slot) const {
    char* end = region.base + (slot + 1) * slot_bytes_;
    return reinterpret_cast<Goroutine*>(end - round_goroutine() - color_of(slot));
  }

  static constexpr size_t round_goroutine() { return (sizeof(Goroutine) + 63) / 64 * 64; }

  bool add_region() BURROW_REQUIRES(lock_);
  [[nodiscard]] Goroutine* make_in(Region& region, size_t slot) const;

  Mutex lock_{LockRank::kSchedStacks};
  // Written under the lock before `slots` of the next one is; read without.
  Region regions_[kMaxRegions];
  size_t region_count_ BURROW_GUARDED_BY(lock_) = 0;
  // Slots whose pages were given back, as a stack of indices.
  uint32_t* recycled_ BURROW_GUARDED_BY(lock_) = nullptr;
  size_t recycled_count_ BURROW_GUARDED_BY(lock_) = 0;
  size_t slot_bytes_ = kDefaultStackBytes;
  size_t guard_bytes_ = kMinGuardBytes;
  size_t next_region_slots_ BURROW_GUARDED_BY(lock_) = 64;
  os::GuardKind guard_kind_ = os::GuardKind::kInstall;
  const char* refusal_ = "";
};

extern constinit StackArea g_stacks;

}  // namespace burrow::sched
