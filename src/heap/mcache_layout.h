// Where a class's slot lies inside an MCache: what the page table stores for `free`. See mcache.h.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// What the fast paths of one class touch, in half a cache line.
struct ClassSlot {
  void** top;          ///< slot of the next block to hand out, in the magazine for pops
  void** free_end;     ///< slot for the next freed block, in the magazine for pushes
  void** free_limit;   ///< one past its last slot; equal to free_end or below: full or closed
  uint64_t inverse;    ///< the class's `ClassInfo::inverse`; 0 sends `free` to the slow path
};

static_assert(sizeof(ClassSlot) == 32);

/// Byte offset of a class's slot from the start of the MCache.
constexpr uint16_t slot_offset(SizeClass c) {
  return static_cast<uint16_t>(c.value * sizeof(ClassSlot));
}

}  // namespace burrow::heap
