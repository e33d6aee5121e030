// MSpan: a run of pages cut into blocks of one class, or one large block. See mheap.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "heap/arena.h"
#include "heap/size_classes.h"
#include "os/os.h"

namespace burrow::heap {

/// What a span is for, and so who owns its fields.
enum class SpanState : uint8_t {
  kFree,       ///< descriptor not in use
  kSmall,      ///< blocks of one class, traded through magazines; its MCentral's lock guards it
  kSampled,    ///< as kSmall, but every block is in the profile: no magazines, `free` looks it up
  kLarge,      ///< one block of whole pages; belongs to the block's owner
  kCached,     ///< was kLarge, is free and waits for the next such request: see recent_runs.h
  kGuarded,    ///< one block before a page without access (hardened mode)
  kCollected,  ///< belongs to the collector, which cuts and frees it: see gc/gc.h
};

/// One block of whole pages, live or kept.
constexpr bool is_whole(SpanState state) {
  return state == SpanState::kLarge || state == SpanState::kCached;
}

/// What the descriptor of a kCollected span has in place of the bitmap; src/gc guards it.
struct CollectedPart {
  uint32_t cursor = 0;  ///< blocks below were handed out since the last flip
  uint32_t epoch = 0;   ///< the flip after which it was last looked at
  uint32_t live = 0;    ///< blocks that lived at that look or were taken since
  uint16_t entry = 0;   ///< its first page's entry in the collector's table
  bool owned = false;   ///< a cache allocates from it
};

/// What the descriptor of one block of whole pages has.
struct WholePart {
  bool sampled = false;  ///< the block is in the profile
  bool moved = false;    ///< its mapping was moved here, see large.cc
  bool vacated = false;  ///< its mapping was moved away
  /// The program says so of its block, or the block is guarded and was freed: the collector passes
  /// by.
  bool pointer_free = false;
};

/// The descriptor. The bitmap of returned blocks follows it in memory (`free_bits`); or, when the
/// span is kCollected, the `collected` part.
struct MSpan {
  PageId start;
  PageCount pages;
  MSpan* next = nullptr;  ///< in the list of its MCentral, or of those that are to be freed
  MSpan* prev = nullptr;
  Address first = 0;        ///< address of block 0
  size_t elem_size = 0;     ///< bytes of a block
  uint16_t elem_count = 0;  ///< blocks in the span
  /// Blocks from here on were never handed out. Changed under the MCentral's lock; `free` reads it
  /// without (relaxed: the thread that frees a block got it after it was counted).
  std::atomic<uint16_t> fresh{0};
  uint16_t marked = 0;      ///< blocks below carry their mark, or once did; see `open_page`
  uint16_t free_count = 0;  ///< bits set in free_bits
  SizeClass size_class;
  SpanState state = SpanState::kFree;
  bool need_zero = false;  ///< fresh blocks may hold old data
  int8_t list = -1;        ///< which occupancy list of its MCentral, or -1

  union {
    WholePart whole;  ///< of one block of whole pages
    uint32_t blank;   ///< kSmall: a bit for each of the OS's pages that went back, see blank.cc
  };

  MSpan() : whole() {}

  /// Pages moved here or away: the kernel's mapping is to be made whole before others use it.
  [[nodiscard]] bool has_own_mapping() const {
    return is_whole(state) && (whole.moved || whole.vacated);
  }

  /// Whether the block that starts at `p` is free and its page went back, mark and all. Any thread:
  /// a live block's page is never blank.
  [[nodiscard]] bool is_blank(const void* p) const {
    if (state != SpanState::kSmall) {
      return false;
    }
    // Relaxed: see above.
    uint32_t now = std::atomic_ref(const_cast<uint32_t&>(blank)).load(std::memory_order_relaxed);
    return (now >> ((reinterpret_cast<Address>(p) - first) / os::kOsPageSize) & 1) != 0;
  }

  /// Gives the OS's pages back whose blocks are all in the span; returns their number.
  /// REQUIRES: kSmall, and the MCentral's lock.
  size_t release_pages();

  [[nodiscard]] Address limit() const { return address_of(start + pages); }

  /// One bit a block: set when the block came back to the span.
  uint64_t* free_bits() { return reinterpret_cast<uint64_t*>(this + 1); }

  [[nodiscard]] const uint64_t* free_bits() const {
    return reinterpret_cast<const uint64_t*>(this + 1);
  }

  /// REQUIRES: the span is kCollected.
  CollectedPart& collected() { return *reinterpret_cast<CollectedPart*>(this + 1); }

  [[nodiscard]] const CollectedPart& collected() const {
    return *reinterpret_cast<const CollectedPart*>(this + 1);
  }

  /// Words of free_bits for a span of `count` blocks.
  static constexpr size_t bit_words(size_t count) { return (count + 63) / 64; }

  /// Bytes of a descriptor for `count` blocks.
  static size_t descriptor_bytes(size_t count) {
    return sizeof(MSpan) + std::max(bit_words(count) * sizeof(uint64_t), sizeof(CollectedPart));
  }

  /// Blocks that the span can still hand out.
  [[nodiscard]] size_t available() const {
    return free_count + static_cast<size_t>(elem_count - fresh_index());
  }

  /// The number of the first block that was never handed out.
  [[nodiscard]] size_t fresh_index() const { return fresh.load(std::memory_order_relaxed); }

  /// Blocks that are out: live, or cached in a magazine.
  [[nodiscard]] size_t outstanding() const { return elem_count - available(); }

  [[nodiscard]] void* block(size_t index) const {
    return reinterpret_cast<void*>(first + index * elem_size);
  }

  /// The number of the block that starts at `p`, or -1 when no block starts there.
  [[nodiscard]] ptrdiff_t index_of_start(const void* p) const {
    size_t offset = reinterpret_cast<Address>(p) - first;
    if (reinterpret_cast<Address>(p) < first || elem_count == 0) {
      return -1;
    }
    if (is_whole(state) || state == SpanState::kGuarded) {
      return offset == 0 ? 0 : -1;
    }
    size_t index = block_index(offset, class_info(size_class));
    return index < elem_count && index * elem_size == offset ? static_cast<ptrdiff_t>(index) : -1;
  }

  /// The number of the block that starts at `p`, or -1 when none does that was ever handed out.
  [[nodiscard]] ptrdiff_t index_of_known(const void* p) const {
    ptrdiff_t index = index_of_start(p);
    bool small = state == SpanState::kSmall || state == SpanState::kSampled;
    return !small || index < static_cast<ptrdiff_t>(fresh_index()) ? index : -1;
  }

  /// True when the block is in the span and carries its mark. REQUIRES: the MCentral's lock.
  [[nodiscard]] bool is_free_and_marked(size_t index) const {
    return index < std::min(marked, elem_count) && !is_blank(block(index)) &&
           (index >= fresh_index() || (free_bits()[index / 64] >> (index % 64) & 1) != 0);
  }

  /// Takes up to `wanted` blocks out of the span into `out`, returned ones first (lowest address
  /// first), then fresh ones; every block carries its free mark. Returns their number.
  /// REQUIRES: the MCentral's lock.
  size_t take(void** out, size_t wanted);

  /// Puts a block back. Ends the program when it is back already or its mark is damaged.
  /// REQUIRES: the MCentral's lock; the block carries its free mark.
  void put_back(void* block);

  /// Sets up the blocks of a class on freshly allocated pages.
  void init_blocks(SizeClass c, SpanState new_state);

  /// Checks the fields against one another and against the page tables.
  void verify() const;

 private:
  void open_page();
  [[nodiscard]] uint32_t whole_free_pages() const;
  void set_blank(uint32_t mask);
  void reopen(uint32_t mask);
  void reopen_block(size_t index);
};

// With its bitmap the descriptor of every small class takes 128 bytes, so that what one class gives
// back serves the next.
static_assert(sizeof(MSpan) == 64 && sizeof(WholePart) == sizeof(uint32_t));
static_assert(kMostSpanPages * kPageSize / os::kOsPageSize <= 32);

}  // namespace burrow::heap
