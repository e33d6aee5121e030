// Where a class's slot lies inside an MCache: what the page table stores for `free`. See mcache.h.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// What the fast paths of one class touch, in half a cache line.
struct ClassSlot {
  void** top;        ///< the loaded magazine's topmost block; its bottom when it is empty
  void** limit;      ///< where `top` stands when the magazine is full
  uint64_t inverse;  ///< the class's `ClassInfo::inverse`; 0 sends `free` to the slow path
  uint64_t credit;   ///< allocations until the slow path looks in; kNoCredit: it is asked now
};

static_assert(sizeof(ClassSlot) == 32);

/// What `ClassSlot::credit` wraps to when an allocation finds none; signal handlers that allocate
/// before the slow path looks count on downwards.
inline constexpr uint64_t kNoCredit = ~uint64_t{0};

/// Byte offset of a class's slot from the start of the MCache.
constexpr uint16_t slot_offset(SizeClass c) {
  return static_cast<uint16_t>(c.value * sizeof(ClassSlot));
}

/// What the page table holds for one page of a span of the class: where its slot lies, and which
/// page of the span it is, so that `free` can tell a block's place in the span.
constexpr uint16_t page_entry(SizeClass c, size_t page_in_span) {
  return static_cast<uint16_t>(slot_offset(c) | page_in_span << 12);
}

static_assert((kNumClasses - 1) * sizeof(ClassSlot) < 1 << 12 && kMostSpanPages <= 16);

/// The slot's offset in an entry.
constexpr size_t entry_slot(size_t entry) {
  return entry & 0xfff;
}

/// A block's offset in its span, from its page's entry and its address.
constexpr size_t entry_offset(size_t entry, uintptr_t block) {
  return (entry >> 12 << kPageShift) + (block & (kPageSize - 1));
}

}  // namespace burrow::heap
