// The inlined halves of allocate and deallocate, for the shim. See heap.h.
#pragma once

#include "heap/heap_internal.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// As heap.h's allocate.
BURROW_ALWAYS_INLINE void* allocate_fast(size_t size) {
  void* p = nullptr;
  MCache* cache = t_cache;
  if (BURROW_LIKELY(size <= kMaxTinySize && cache != nullptr)) {
    if (BURROW_LIKELY(pop_block(cache, kTinySlotOf[tiny_index(size)], p))) {
      return p;
    }
  } else if (size <= kMaxSmallSize && cache != nullptr) {
    if (pop_block(cache, slot_offset(SizeClass(kMediumClassOf[medium_index(size)])), p)) {
      return p;
    }
  }
  return allocate_slow(size, p);
}

/// As heap.h's deallocate.
BURROW_ALWAYS_INLINE void deallocate_fast(void* p) {
  if (BURROW_UNLIKELY(!push_block(t_cache, p))) {
    deallocate_slow(p);
  }
}

}  // namespace burrow::heap
