// The arena: one reserved range of addresses, and the flat tables over its pages. See mheap.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/annotations.h"
#include "base/units.h"

namespace burrow::heap {

struct MSpan;

/// What the fast paths read on every call: written by `arena_init`, before any block exists.
struct alignas(64) ArenaParams {
  Address base = 0;                               ///< start, aligned to 2 MiB
  std::atomic<size_t> page_count{0};              ///< pages reserved; may shrink, see
                                                  ///< arena_fit. Relaxed: no block is there
  std::atomic<uint16_t>* page_entries = nullptr;  ///< by page: its `page_entry`, or 0
  std::atomic<MSpan*>* spans = nullptr;           ///< by page: the span it belongs to, or null;
                                                  ///< of a large span the first page only
  uintptr_t mark_key = 0;                         ///< secret; a free block's first word is
                                                  ///< its address xor this
};

BURROW_HIDDEN extern constinit ArenaParams g_arena;

/// Reserves the arena and its tables; later calls do nothing. REQUIRES: one thread at a time.
/// Ends the program when not even 8 MiB of addresses can be had.
void arena_init();

/// What the arena may keep when its reservation leaves the program no room below an RLIMIT_AS that
/// was set after the start; nullopt when there is no need.
[[nodiscard]] std::optional<PageCount> arena_share_of_limit();

/// Gives addresses beyond the first `share` pages back, if they are not committed. REQUIRES: the
/// heap's lock.
void arena_fit(PageCount share);

/// Counts pages from `end` on as not committed: they are about to be given back by arena_fit.
/// REQUIRES: the heap's lock.
void arena_forget(PageId end);

/// Pages reserved.
inline size_t arena_page_count() {
  return g_arena.page_count.load(std::memory_order_relaxed);
}

/// Gives access to pages up to `end` (monotonic, in chunks of 2 MiB); false when the system or
/// RLIMIT_AS refuses. REQUIRES: the heap's lock.
[[nodiscard]] bool arena_commit_until(PageId end);

/// Pages committed so far.
[[nodiscard]] PageCount arena_committed();

inline Address address_of(PageId page) {
  return g_arena.base + (page.value << kPageShift);
}

inline void* pointer_to(PageId page) {
  return reinterpret_cast<void*>(address_of(page));
}

/// What the page table says of a page for `free`: see ArenaParams. Relaxed: see span_of_page.
BURROW_ALWAYS_INLINE size_t entry_of_page(PageId page) {
  return g_arena.page_entries[page.value].load(std::memory_order_relaxed);
}

/// True when the address lies in the arena; `page` is then its page.
BURROW_ALWAYS_INLINE bool find_page(const void* p, PageId& page) {
  size_t index = (reinterpret_cast<Address>(p) - g_arena.base) >> kPageShift;
  page = PageId(index);
  return index < arena_page_count();
}

/// The span that owns a page, or null; mostly null inside a large span. Relaxed is enough: whoever
/// holds a live block of the span got it after the table was written.
inline MSpan* span_of_page(PageId page) {
  return g_arena.spans[page.value].load(std::memory_order_relaxed);
}

/// The span that holds a page, also when the page lies inside a large one. Looks at up to 256
/// entries.
MSpan* span_around(PageId page);

/// How many pages from `page` on, at most `limit`, belong to no span; 0: that page does. Pages may
/// be taken or given back meanwhile.
size_t blank_pages(PageId page, size_t limit);

/// The span in which a block starts at the address; null when there is none. An address inside a
/// block leads to its span too, unless the block is large (then it may).
inline MSpan* span_of(const void* p) {
  PageId page;
  return find_page(p, page) ? span_of_page(page) : nullptr;
}

/// The mark's highest byte, which no address has: rare in what programs write, as it is not UTF-8,
/// nor in a small number of either sign, nor in a NaN-boxed value.
inline constexpr uint8_t kMarkByte = 0xf7;

/// The mark that a free block carries in its first word.
BURROW_ALWAYS_INLINE uintptr_t free_mark(const void* block) {
  return reinterpret_cast<uintptr_t>(block) ^ g_arena.mark_key;
}

/// False: the block does not carry its mark. True: look at the whole word. Reads the mark's highest
/// byte only, because a load that is wider than the program's last store to the word has to wait
/// until that store has left the processor's buffer.
BURROW_ALWAYS_INLINE bool may_be_free(const void* block) {
  return static_cast<const uint8_t*>(block)[7] == kMarkByte;
}

/// True when the block carries its mark: it is free, or was freed and not written to since.
BURROW_ALWAYS_INLINE bool is_marked(const void* block) {
  return may_be_free(block) && *static_cast<const uintptr_t*>(block) == free_mark(block);
}

}  // namespace burrow::heap
