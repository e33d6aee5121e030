// A magazine: a bounded stack of free blocks of one class, the unit in which blocks move between
// a thread's cache and its MCentral. See mcache.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "base/annotations.h"
#include "heap/metadata.h"
#include "heap/size_classes.h"

namespace burrow::heap {

/// The block that stands below the last one of every magazine. Its first word is never its own
/// free mark, so that the test that guards a pop also notices the bottom.
BURROW_HIDDEN extern constinit uintptr_t g_bottom[2];

constexpr void* bottom_block() {
  return &g_bottom[0];
}

/// Owned by one cache or, in a list, by one MCentral. The slots follow in memory.
struct Magazine {
  Magazine* next = nullptr;
  uint32_t count = 0;            ///< blocks in slots(); kept only while the magazine is not loaded
  uint32_t capacity = 0;         ///< slots
  uint64_t unused = 0;           ///< keeps the slots on a multiple of 16 bytes
  void* below = bottom_block();  ///< the bottom

  void** slots() { return reinterpret_cast<void**>(this + 1); }

  /// Where `ClassSlot::top` points when the magazine is empty.
  void** bottom() { return &below; }

  /// Where it points when the magazine is full.
  void** limit() { return &below + capacity; }

  static size_t bytes(SizeClass c) {
    return sizeof(Magazine) + class_info(c).magazine * sizeof(void*);
  }

  /// A new empty magazine, or null.
  static Magazine* create(SizeClass c) {
    void* memory = meta_allocate(bytes(c), MetaKind::kMagazine);
    if (memory == nullptr) {
      return nullptr;
    }
    auto* m = new (memory) Magazine;
    m->capacity = class_info(c).magazine;
    return m;
  }

  static void destroy(Magazine* m, SizeClass c) { meta_free(m, bytes(c), MetaKind::kMagazine); }
};

static_assert(sizeof(Magazine) == 32);

}  // namespace burrow::heap
