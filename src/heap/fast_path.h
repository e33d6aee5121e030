// The inlined halves of allocate and deallocate, for the shim. See heap.h.
#pragma once

#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// What `allocate_fast` does when the fast path does not answer: a function to be jumped to, so
/// that the fast path needs no frame. Others add errno or exceptions.
struct PlainFinish {
  static void* finish(size_t size, void* popped) { return allocate_slow(size, popped); }
};

/// As heap.h's allocate.
template <typename Finish = PlainFinish>
BURROW_ALWAYS_INLINE void* allocate_fast(size_t size) {
  void* p = nullptr;
  // Two pops: with one, the tables' addresses would be chosen first, at an instruction more.
  if (BURROW_LIKELY(size <= kMaxTinySize)) {
    if (BURROW_LIKELY(!t_heap.busy) && BURROW_LIKELY(pop_block(kTinySlotOf[tiny_index(size)], p))) {
      return p;
    }
  } else if (BURROW_LIKELY(size <= kMaxSmallSize) && BURROW_LIKELY(!t_heap.busy) &&
             BURROW_LIKELY(pop_block(kMediumSlotOf[medium_index(size)], p))) {
    return p;
  }
  return Finish::finish(size, p);
}

/// As heap.h's deallocate.
BURROW_ALWAYS_INLINE void deallocate_fast(void* p) {
  PageId page;
  if (BURROW_LIKELY(find_page(p, page)) && BURROW_LIKELY(push_block(p, entry_of_page(page)))) {
    return;
  }
  deallocate_slow(p);
}

/// Frees a block that was asked for with `size` bytes; anything but the class's own blocks goes to
/// `deallocate_sized`.
BURROW_ALWAYS_INLINE void deallocate_sized_fast(void* p, size_t size) {
  PageId page;
  if (BURROW_LIKELY(size <= kMaxSmallSize) && BURROW_LIKELY(find_page(p, page))) {
    size_t entry = entry_of_page(page);
    if (BURROW_LIKELY(entry_slot(entry) == slot_for_size(size)) &&
        BURROW_LIKELY(push_block(p, entry))) {
      return;
    }
  }
  deallocate_sized(p, size, 1, SizeRule::kExact);
}

}  // namespace burrow::heap
