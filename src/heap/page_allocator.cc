// Runs of pages out of chunks. See page_allocator.h.
#include "heap/page_allocator.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"
#include "heap/arena.h"
#include "os/os.h"

namespace burrow::heap {

bool PageAllocator::allocate(PageCount count, size_t alignment, PageRun& run) {
  if (chunks_ == nullptr) {
    size_t n = arena_page_count() / kPagesPerChunk;
    size_t chunk_bytes = round_up(n * sizeof(Chunk), os::kOsPageSize);
    size_t bit_bytes = round_up(n / 8 + 8, os::kOsPageSize);
    // Readable as a whole; writable as far as chunks are open, for what may be written counts
    // against RLIMIT_DATA and under strict overcommit.
    size_t bytes = bit_bytes + chunk_bytes;
    char* tables = static_cast<char*>(os::reserve(bytes, os::kOsPageSize));
    if (tables == nullptr) {
      return false;
    }
    if (!os::protect_read_only(tables, bytes) || !os::commit(tables, os::kOsPageSize) ||
        !os::commit(tables + chunk_bytes, bit_bytes)) {
      os::unreserve(tables, bytes);
      return false;
    }
    table_writable_ = os::kOsPageSize;
    chunks_ = reinterpret_cast<Chunk*>(tables);
    empty_ = reinterpret_cast<uint64_t*>(tables + chunk_bytes);
    chunk_count_ = 1;
    chunks_[0].used.set_range(0, kPagesPerChunk);
  }
  return count.value <= kPagesPerChunk && alignment <= kPagesPerChunk
             ? allocate_small(count, alignment, run)
             : allocate_large(count, alignment, run);
}

bool PageAllocator::allocate_small(PageCount count, size_t alignment, PageRun& run) {
  for (size_t from = count.value; from < kPagesPerChunk;) {
    uint64_t rest = list_bits_[from / 64] >> (from % 64);
    if (rest == 0) {
      from = (from / 64 + 1) * 64;
      continue;
    }
    from += static_cast<size_t>(std::countr_zero(rest));
    for (uint32_t i = lists_[from]; i != 0; i = chunk(i).next) {
      size_t at = chunk(i).used.find_clear_run(count.value, alignment);
      if (at < kPagesPerChunk) {
        take(PageId(i * kPagesPerChunk + at), count, run);
        return true;
      }
    }
    ++from;
  }
  size_t row = find_empty_row(1, 1);
  if (row == 0) {
    if (!open_chunks(1)) {
      return false;
    }
    row = chunk_count_ - 1;
  }
  take(PageId(row * kPagesPerChunk), count, run);
  return true;
}

bool PageAllocator::allocate_large(PageCount count, size_t alignment, PageRun& run) {
  size_t chunks = (count.value + kPagesPerChunk - 1) / kPagesPerChunk;
  size_t chunk_alignment = std::max<size_t>(1, alignment / kPagesPerChunk);
  if (count.value > arena_page_count() || chunk_alignment > arena_page_count()) {
    return false;
  }
  size_t row = find_empty_row(chunks, chunk_alignment);
  if (row == 0) {
    // Empty chunks at the end of the arena count toward the row.
    size_t first = chunk_count_;
    while (first > 1 && (empty_[(first - 1) / 64] >> ((first - 1) % 64) & 1) != 0) {
      --first;
    }
    size_t base_chunk = g_arena.base / kChunkSize;
    row = round_up(base_chunk + first, chunk_alignment) - base_chunk;
    if (row + chunks > chunk_count_ && !open_chunks(row + chunks - chunk_count_)) {
      return false;
    }
  }
  take(PageId(row * kPagesPerChunk), count, run);
  return true;
}

// Makes the table of the first `count` chunks writable.
bool PageAllocator::open_table(size_t count) {
  size_t goal = round_up(count * sizeof(Chunk), os::kOsPageSize);
  if (goal <= table_writable_) {
    return true;
  }
  if (!os::commit(reinterpret_cast<char*>(chunks_) + table_writable_, goal - table_writable_)) {
    return false;
  }
  table_writable_ = goal;
  return true;
}

bool PageAllocator::open_chunks(size_t count) {
  size_t end = chunk_count_ + count;
  if (end > arena_page_count() / kPagesPerChunk || !open_table(end) ||
      !arena_commit_until(PageId(end * kPagesPerChunk))) {
    return false;
  }
  for (size_t i = chunk_count_; i < end; ++i) {
    chunk(i).longest = kPagesPerChunk;
    empty_[i / 64] |= uint64_t{1} << (i % 64);
  }
  chunk_count_ = end;
  return true;
}

size_t PageAllocator::find_empty_row(size_t count, size_t alignment_chunks) const {
  size_t base_chunk = g_arena.base / kChunkSize;
  size_t run = 0;
  for (size_t i = 1; i < chunk_count_; ++i) {
    if (i % 64 == 0 && empty_[i / 64] == 0) {
      run = 0;
      i += 63;
      continue;
    }
    bool empty = (empty_[i / 64] >> (i % 64) & 1) != 0;
    bool may_start = run > 0 || (base_chunk + i) % alignment_chunks == 0;
    run = empty && may_start ? run + 1 : 0;
    if (run == count) {
      return i + 1 - count;
    }
  }
  return 0;
}

void PageAllocator::take(PageId start, PageCount count, PageRun& run) {
  run = PageRun{start, count, false, PageCount()};
  for (size_t done = 0; done < count.value;) {
    PageId at = start + PageCount(done);
    size_t n = std::min(count.value - done, kPagesPerChunk - at.index_in_chunk());
    Chunk& c = chunk(at.chunk());
    size_t was_backed = c.backed.count_range(at.index_in_chunk(), n);
    run.need_zero = run.need_zero || was_backed > 0;
    run.unbacked += PageCount(n - was_backed);
    free_backed_ -= PageCount(was_backed);
    c.used.set_range(at.index_in_chunk(), n);
    c.backed.set_range(at.index_in_chunk(), n);
    c.used_count = static_cast<uint16_t>(c.used_count + n);
    refile(static_cast<uint32_t>(at.chunk()));
    done += n;
  }
  used_ += count;
}

bool PageAllocator::allocate_at(PageId start, PageCount count, PageRun& run) {
  if (start.value + count.value > chunk_count_ * kPagesPerChunk) {
    return false;
  }
  for (size_t done = 0; done < count.value;) {
    PageId at = start + PageCount(done);
    size_t n = std::min(count.value - done, kPagesPerChunk - at.index_in_chunk());
    if (chunk(at.chunk()).used.count_range(at.index_in_chunk(), n) != 0) {
      return false;
    }
    done += n;
  }
  take(start, count, run);
  return true;
}

void PageAllocator::free(PageId start, PageCount count) {
  for (size_t done = 0; done < count.value;) {
    PageId at = start + PageCount(done);
    size_t n = std::min(count.value - done, kPagesPerChunk - at.index_in_chunk());
    Chunk& c = chunk(at.chunk());
    CHECK(c.used.count_range(at.index_in_chunk(), n) == n);
    c.used.clear_range(at.index_in_chunk(), n);
    c.used_count = static_cast<uint16_t>(c.used_count - n);
    free_backed_ += PageCount(c.backed.count_range(at.index_in_chunk(), n));
    refile(static_cast<uint32_t>(at.chunk()));
    done += n;
  }
  used_ -= count;
}

void PageAllocator::note_unbacked(PageId start, PageCount count) {
  for (size_t done = 0; done < count.value;) {
    PageId at = start + PageCount(done);
    size_t n = std::min(count.value - done, kPagesPerChunk - at.index_in_chunk());
    chunk(at.chunk()).backed.clear_range(at.index_in_chunk(), n);
    done += n;
  }
}

void PageAllocator::drop_empty_tail(PageCount keep) {
  while (chunk_count_ > 1) {
    size_t i = chunk_count_ - 1;
    if (i * kPagesPerChunk < keep.value || (empty_[i / 64] >> (i % 64) & 1) == 0) {
      break;
    }
    free_backed_ -= PageCount(chunk(i).backed.count());
    chunk(i) = Chunk{};
    empty_[i / 64] &= ~(uint64_t{1} << (i % 64));
    --chunk_count_;
  }
  arena_forget(PageId(std::max(chunk_count_ * kPagesPerChunk, keep.value)));
}

void PageAllocator::unlink(uint32_t i) {
  Chunk& c = chunk(i);
  if (lists_[c.longest] == i) {
    lists_[c.longest] = c.next;
    if (c.next == 0) {
      list_bits_[c.longest / 64] &= ~(uint64_t{1} << (c.longest % 64));
    }
  }
  if (c.prev != 0) {
    chunk(c.prev).next = c.next;
  }
  if (c.next != 0) {
    chunk(c.next).prev = c.prev;
  }
  c.next = c.prev = 0;
}

// Moves a chunk to the list, or to the bitmap of empty ones, that fits its contents.
void PageAllocator::refile(uint32_t i) {
  Chunk& c = chunk(i);
  if (c.longest > 0 && c.longest < kPagesPerChunk) {
    unlink(i);
  }
  c.longest = static_cast<uint16_t>(c.used.longest_clear_run());
  uint64_t bit = uint64_t{1} << (i % 64);
  if (c.longest == kPagesPerChunk) {
    empty_[i / 64] |= bit;
    return;
  }
  empty_[i / 64] &= ~bit;
  if (c.longest == 0) {
    return;
  }
  uint32_t& head = lists_[c.longest];
  // The densest of a list should be found first; the head is what is looked at.
  uint32_t after = head != 0 && chunk(head).used_count > c.used_count ? head : 0;
  if (after != 0) {
    c.prev = after;
    c.next = chunk(after).next;
    chunk(after).next = i;
  } else {
    c.prev = 0;
    c.next = head;
    head = i;
  }
  if (c.next != 0) {
    chunk(c.next).prev = i;
  }
  list_bits_[c.longest / 64] |= uint64_t{1} << (c.longest % 64);
}

size_t PageAllocator::release_in_chunk(uint32_t i, size_t goal) {
  Chunk& c = chunk(i);
  PageBits idle = c.backed & ~c.used;
  size_t done = 0;
  for (size_t at = idle.next_set(0); at < kPagesPerChunk && done < goal;) {
    size_t end = idle.next_clear(at);
    size_t n = end - at;
    if (!os::release(pointer_to(PageId(i * kPagesPerChunk + at)), n * kPageSize)) {
      break;
    }
    c.backed.clear_range(at, n);
    free_backed_ -= PageCount(n);
    done += n;
    at = idle.next_set(end);
  }
  return done;
}

void PageAllocator::verify() const {
  size_t used = 0;
  size_t free_backed = 0;
  size_t filed = 0;
  for (size_t i = 1; i < chunk_count_; ++i) {
    const Chunk& c = chunk(i);
    CHECK(c.used.count() == c.used_count);
    CHECK(c.longest == c.used.longest_clear_run());
    bool empty = (empty_[i / 64] >> (i % 64) & 1) != 0;
    CHECK(empty == (c.used_count == 0));
    used += c.used_count;
    free_backed += (c.backed & ~c.used).count();
    filed += c.longest > 0 && !empty ? 1 : 0;
  }
  CHECK(used == used_.value && free_backed == free_backed_.value);
  for (size_t list = 1; list < kPagesPerChunk; ++list) {
    bool has = (list_bits_[list / 64] >> (list % 64) & 1) != 0;
    CHECK(has == (lists_[list] != 0));
    for (uint32_t i = lists_[list], before = 0; i != 0; before = i, i = chunk(i).next) {
      CHECK(chunk(i).longest == list && chunk(i).prev == before);
      --filed;
    }
  }
  CHECK(filed == 0);
}

}  // namespace burrow::heap
