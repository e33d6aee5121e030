// The page allocator: runs of 8 KiB pages out of 2 MiB chunks. See mheap.h.
//
// Requests of up to 256 pages go to the chunk with the shortest free run that is long enough,
// which keeps full chunks full (so that they stay backed by huge pages) and lets sparse chunks
// drain. Longer requests take a row of empty chunks and leave the rest of the last one to others.
// What goes back to the OS comes from empty chunks first, then from the sparsest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "heap/page_bits.h"

namespace burrow::heap {

/// One 2 MiB chunk. A page is free or used; it is "backed" when the OS may hold memory for it,
/// and reads as zero when it is not.
struct Chunk {
  PageBits used;
  PageBits backed;
  uint16_t used_count = 0;
  uint16_t longest = 0;  ///< longest run of free pages
  uint32_t next = 0;     ///< neighbours in the list of chunks with the same `longest`; 0: none
  uint32_t prev = 0;
};

/// A run of pages that was found.
struct PageRun {
  PageId start;
  PageCount pages;
  bool need_zero = false;  ///< some page may hold old data
  PageCount unbacked;      ///< pages that the OS held no memory for
};

/// Not thread-safe: the heap's lock guards it.
class PageAllocator {
 public:
  /// Finds `count` pages whose first is a multiple of `alignment` pages. False when addresses or
  /// memory are out. REQUIRES: count > 0; alignment is a power of two.
  [[nodiscard]] bool allocate(PageCount count, size_t alignment, PageRun& run);

  /// Takes `count` given pages when all of them are free: for growing a block in place.
  [[nodiscard]] bool allocate_at(PageId start, PageCount count, PageRun& run);

  /// Gives pages back; they stay backed.
  void free(PageId start, PageCount count);

  /// Gives backed free pages to the OS, at least `goal` pages if there are as many; stops early
  /// when `more` says no. Returns the pages given.
  template <typename More>
  PageCount scavenge(PageCount goal, More more);

  /// Forgets empty chunks at the end that lie beyond the first `keep` pages, for arena_fit.
  void drop_empty_tail(PageCount keep);

  /// Marks pages as not backed: their memory was taken or released by the caller.
  void note_unbacked(PageId start, PageCount count);

  [[nodiscard]] PageCount used() const { return used_; }

  /// Free pages that the OS still holds memory for.
  [[nodiscard]] PageCount free_backed() const { return free_backed_; }

  /// Pages in chunks that were opened so far.
  [[nodiscard]] PageCount managed() const { return PageCount(chunk_count_ * kPagesPerChunk); }

  /// Checks all counts, lists and bitmaps against one another.
  void verify() const;

 private:
  bool allocate_small(PageCount count, size_t alignment, PageRun& run);
  bool allocate_large(PageCount count, size_t alignment, PageRun& run);
  bool open_chunks(size_t count);
  bool open_table(size_t count);
  size_t find_empty_row(size_t count, size_t alignment_chunks) const;
  void take(PageId start, PageCount count, PageRun& run);
  void refile(uint32_t chunk);
  void unlink(uint32_t chunk);
  size_t release_in_chunk(uint32_t chunk, size_t goal);

  Chunk& chunk(size_t i) const { return chunks_[i]; }

  Chunk* chunks_ = nullptr;    // one for each chunk of the arena, touched as they are opened;
                               // number 0 is never used, so that 0 can mean "none"
  size_t table_writable_ = 0;  // bytes of `chunks_`
  size_t chunk_count_ = 0;     // chunks opened
  uint64_t* empty_ = nullptr;  // one bit a chunk: opened and wholly free
  PageCount used_;
  PageCount free_backed_;
  std::array<uint32_t, kPagesPerChunk + 1> lists_{};  // by `longest`; full and empty in none
  std::array<uint64_t, 5> list_bits_{};               // which lists are not empty
};

template <typename More>
PageCount PageAllocator::scavenge(PageCount goal, More more) {
  size_t done = 0;
  // Empty chunks first, from the top of the arena; then those with the longest free runs.
  for (size_t i = chunk_count_; i-- > 1 && done < goal.value && free_backed_.value > 0;) {
    if ((empty_[i / 64] >> (i % 64) & 1) != 0 && chunk(i).backed.count() > 0) {
      done += release_in_chunk(static_cast<uint32_t>(i), goal.value - done);
      if (!more()) {
        return PageCount(done);
      }
    }
  }
  for (size_t list = kPagesPerChunk; list > 0 && done < goal.value; --list) {
    for (uint32_t i = lists_[list]; i != 0 && done < goal.value && free_backed_.value > 0;
         i = chunk(i).next) {
      done += release_in_chunk(i, goal.value - done);
      if (!more()) {
        return PageCount(done);
      }
    }
  }
  return PageCount(done);
}

}  // namespace burrow::heap
