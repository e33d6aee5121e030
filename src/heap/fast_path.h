// The inlined halves of allocate and deallocate, for the shim. See heap.h.
#pragma once

#include "heap/heap_internal.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// What `allocate_fast` does when the fast path does not answer: a function to be jumped to, so that
/// the fast path needs no frame. Others add errno or exceptions.
struct PlainFinish {
  static void* finish(size_t size, void* popped) { return allocate_slow(size, popped); }
};

/// As heap.h's allocate.
template <typename Finish = PlainFinish>
BURROW_ALWAYS_INLINE void* allocate_fast(size_t size) {
  void* p = nullptr;
  if (BURROW_LIKELY(size <= kMaxTinySize)) {
    MCache* cache = t_cache;
    if (BURROW_LIKELY(cache != nullptr)) {
      if (BURROW_LIKELY(pop_block(cache, kTinySlotOf[tiny_index(size)], p))) {
        return p;
      }
    }
  }
  return Finish::finish(size, p);
}

/// As heap.h's deallocate.
BURROW_ALWAYS_INLINE void deallocate_fast(void* p) {
  if (BURROW_UNLIKELY(!push_block(t_cache, p))) {
    deallocate_slow(p);
  }
}

}  // namespace burrow::heap
