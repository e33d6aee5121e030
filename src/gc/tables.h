// What the collector knows by address: which object a word points to, and the mark bits. See gc.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/units.h"
#include "burrow/internal/object.h"
#include "heap/arena.h"
#include "heap/size_classes.h"

namespace burrow::gc {

using internal::ObjectKind;

/// Marks stand for 16 bytes each, the least that an object takes.
inline constexpr size_t kGranuleShift = 4;

/// An entry of the page table: what lies on a page. 0: nothing of the collector's.
struct PageEntry {
  uint16_t bits = 0;

  static constexpr PageEntry small(SizeClass c, size_t page_in_span, ObjectKind kind) {
    return {static_cast<uint16_t>(c.value | page_in_span << 7 | (size_t(kind) + 1) << 11)};
  }

  static constexpr PageEntry large(ObjectKind kind) {
    return {static_cast<uint16_t>((size_t(kind) + 1) << 11)};
  }

  [[nodiscard]] constexpr bool collected() const { return bits != 0; }

  [[nodiscard]] constexpr SizeClass size_class() const { return SizeClass(bits & 127U); }

  [[nodiscard]] constexpr size_t page_in_span() const { return bits >> 7 & 15U; }

  [[nodiscard]] constexpr ObjectKind kind() const {
    return static_cast<ObjectKind>((bits >> 11) - 1);
  }
};

static_assert(heap::kNumClasses <= 128 && heap::kMostSpanPages <= 16);

/// Flat tables over the arena, reserved whole and backed where they are touched.
struct Tables {
  std::atomic<uint16_t>* entries = nullptr;   ///< by page: a PageEntry
  std::atomic<uint64_t>* marks[2] = {};       ///< one bit a granule; which of the two: g_epoch
  std::atomic<uint64_t>* pointers = nullptr;  ///< kExact objects: one bit a word
};

extern constinit Tables g_tables;

/// Counts flips. marks[g_epoch & 1] is complete and says what is free; the other one is clear, or
/// being filled by the marking that is underway.
extern constinit std::atomic<uint32_t> g_epoch;

/// Reserves the tables; false when the system refuses. REQUIRES: the arena is there.
[[nodiscard]] bool tables_init();

/// Bytes of the tables for so much of the arena as is committed; 0 before `tables_init`.
[[nodiscard]] size_t tables_bytes();

inline PageEntry entry_of(PageId page) {
  // Relaxed: whoever holds a pointer into the page got it after the entry was written.
  return {g_tables.entries[page.value].load(std::memory_order_relaxed)};
}

/// An object of the collected heap.
struct ObjectRef {
  Address start = 0;  ///< 0: no object
  PageEntry entry;

  explicit operator bool() const { return start != 0; }
};

/// The start and size of the large object that owns a page.
[[nodiscard]] Address large_start(PageId page);
[[nodiscard]] size_t large_size(Address start);

/// The object that holds the byte at `address`, handed out or not; none for any other word.
BURROW_ALWAYS_INLINE ObjectRef find_object(Address address) {
  size_t offset = address - heap::g_arena.base;
  size_t page = offset >> kPageShift;
  if (page >= heap::g_arena.page_count) {
    return {};
  }
  PageEntry entry = entry_of(PageId(page));
  if (!entry.collected()) {
    return {};
  }
  SizeClass c = entry.size_class();
  if (BURROW_UNLIKELY(!c)) {
    return {large_start(PageId(page)), entry};
  }
  const heap::ClassInfo& info = heap::class_info(c);
  Address span = (address & ~(kPageSize - 1)) - (entry.page_in_span() << kPageShift);
  size_t index = heap::block_index(address - span, info);
  return index < info.capacity ? ObjectRef{span + index * info.size, entry} : ObjectRef{};
}

inline size_t object_size(ObjectRef object) {
  SizeClass c = object.entry.size_class();
  return c ? heap::class_info(c).size : large_size(object.start);
}

inline size_t granule_of(Address object) {
  return (object - heap::g_arena.base) >> kGranuleShift;
}

/// A bit in a mark bitmap.
class MarkBit {
 public:
  MarkBit(uint32_t epoch, Address object)
      : word_(&g_tables.marks[epoch & 1][granule_of(object) / 64]),
        mask_(uint64_t{1} << granule_of(object) % 64) {}

  /// Relaxed: marks are read for good only after a stop of the world.
  [[nodiscard]] bool get() const { return (word_->load(std::memory_order_relaxed) & mask_) != 0; }

  /// Sets it; true for the one caller that did.
  [[nodiscard]] bool set() const {
    return !get() && (word_->fetch_or(mask_, std::memory_order_relaxed) & mask_) == 0;
  }

 private:
  std::atomic<uint64_t>* word_;
  uint64_t mask_;
};

/// The bits of a marking that is underway, and those of the last one.
inline MarkBit next_mark(Address object) {
  return {g_epoch.load(std::memory_order_relaxed) + 1, object};
}

inline MarkBit last_mark(Address object) {
  return {g_epoch.load(std::memory_order_relaxed), object};
}

/// The bitmap of the last marking that ended.
inline std::atomic<uint64_t>* last_marks() {
  return g_tables.marks[g_epoch.load(std::memory_order_relaxed) & 1];
}

/// The bitmap of a marking that is underway.
inline std::atomic<uint64_t>* next_marks() {
  return g_tables.marks[(g_epoch.load(std::memory_order_relaxed) + 1) & 1];
}

/// Objects on some pages that the last marking found.
[[nodiscard]] size_t count_marks(PageId start, PageCount pages);

/// Clears both mark bitmaps (or that of an epoch) and the pointer bitmap over some pages.
void clear_marks(PageId start, PageCount pages, uint32_t epoch);
void clear_tables(PageId start, PageCount pages);

/// Writes part of a word of the pointer bitmap. Relaxed, and no read-modify-write: words of the
/// table span objects of one owner only.
inline void write_pointer_bits(std::atomic<uint64_t>& word, uint64_t mask, uint64_t bits) {
  uint64_t old = word.load(std::memory_order_relaxed);
  if ((old & mask) != bits) {
    word.store((old & ~mask) | bits, std::memory_order_relaxed);
  }
}

/// Where the table has more than one word for the object.
void write_long_pointers(Address object, const uint64_t* bitmap, size_t words);

/// Writes the pointer bitmap of one object. REQUIRES: the caller owns the memory.
inline void write_pointers(Address object, const uint64_t* bitmap, size_t words) {
  size_t at = (object - heap::g_arena.base) / sizeof(void*);
  size_t shift = at % 64;
  if (BURROW_LIKELY(words - 1 < 64 - shift)) {  // none is not
    uint64_t mask = ~uint64_t{0} >> (64 - words) << shift;
    write_pointer_bits(g_tables.pointers[at / 64], mask, bitmap[0] << shift & mask);
  } else {
    write_long_pointers(object, bitmap, words);
  }
}

}  // namespace burrow::gc
