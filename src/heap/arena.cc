// Reservation and commit of the arena. See arena.h.
#include "heap/arena.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"
#include "heap/metadata.h"
#include "heap/mspan.h"
#include "os/os.h"

namespace burrow::heap {

constinit ArenaParams g_arena;

namespace {

constexpr size_t kDefaultArena = kTiB;
constexpr size_t kSmallestArena = 8 * kMiB;
// Tables are made writable in steps of this many bytes.
constexpr size_t kTableStep = 64 * kKiB;

// Guarded by the heap's lock after start.
constinit PageCount g_committed;
constinit size_t g_entries_writable = 0;
constinit size_t g_spans_writable = 0;

constexpr size_t entries_bytes(size_t pages) {
  return round_up(pages * sizeof(uint16_t), os::kOsPageSize);
}

constexpr size_t spans_bytes(size_t pages) {
  return round_up(pages * sizeof(MSpan*), os::kOsPageSize);
}

// Descriptors: no more than a 32nd of what they describe (a page of the smallest blocks).
constexpr size_t descriptor_bytes(size_t pages) {
  return pages * (kPageSize / 32);
}

// What a limit leaves for the arena when others use `others`: a quarter of the room stays for
// thread stacks, libraries and the program's own mappings.
size_t share_of(size_t limit, size_t others) {
  size_t room = limit > others ? limit - others : 0;
  return round_down(room / 4 * 3, kChunkSize);
}

size_t wanted_bytes() {
  std::optional<size_t> limit = os::address_space_limit();
  return limit
             ? std::clamp(share_of(*limit, os::address_space_used()), kSmallestArena, kDefaultArena)
             : kDefaultArena;
}

// Readable in full at once, so that a lookup of any arena address needs no second test; writable
// with the pages they describe. What is only read costs nothing: not under strict overcommit,
// and not when the program locks its memory.
void* reserve_table(size_t bytes) {
  void* table = os::reserve(bytes, os::kOsPageSize);
  if (table != nullptr && !os::protect_read_only(table, bytes)) {
    os::unreserve(table, bytes);
    return nullptr;
  }
  return table;
}

bool reserve_all(size_t bytes) {
  size_t pages = bytes / kPageSize;
  void* arena = os::reserve(bytes, kChunkSize);
  void* entries = arena == nullptr ? nullptr : reserve_table(entries_bytes(pages));
  void* spans = entries == nullptr ? nullptr : reserve_table(spans_bytes(pages));
  if (spans == nullptr) {
    if (entries != nullptr) {
      os::unreserve(entries, entries_bytes(pages));
    }
    if (arena != nullptr) {
      os::unreserve(arena, bytes);
    }
    return false;
  }
  g_arena.base = reinterpret_cast<Address>(arena);
  g_arena.page_count.store(pages, std::memory_order_relaxed);
  g_arena.page_entries = static_cast<std::atomic<uint16_t>*>(entries);
  g_arena.spans = static_cast<std::atomic<MSpan*>*>(spans);
  meta_reserve(descriptor_bytes(pages));
  return true;
}

// Makes the first `bytes` of a table writable.
bool open_table(void* table, size_t bytes, size_t whole, size_t& writable) {
  size_t goal = std::min(round_up(bytes, kTableStep), whole);
  if (goal <= writable) {
    return true;
  }
  if (!os::commit(static_cast<char*>(table) + writable, goal - writable)) {
    return false;
  }
  writable = goal;
  return true;
}

bool open_tables(size_t pages) {
  size_t all = arena_page_count();
  return open_table(g_arena.page_entries, entries_bytes(pages), entries_bytes(all),
                    g_entries_writable) &&
         open_table(g_arena.spans, spans_bytes(pages), spans_bytes(all), g_spans_writable);
}

void cut(void* start, size_t from, size_t to) {
  if (from < to) {
    os::unreserve(static_cast<char*>(start) + from, to - from);
  }
}

}  // namespace

void arena_init() {
  if (g_arena.base != 0) {
    return;
  }
  g_arena.mark_key = (os::random_u64() >> 8 | 1) | uint64_t{kMarkByte} << 56;
  for (size_t bytes = wanted_bytes(); bytes >= kSmallestArena;
       bytes = round_down(bytes / 2, kChunkSize)) {
    if (reserve_all(bytes)) {
      return;
    }
  }
  fatal("cannot reserve 8 MiB of address space for the heap: raise RLIMIT_AS (ulimit -v)");
}

bool arena_commit_until(PageId end) {
  if (end.value <= g_committed.value) {
    return true;
  }
  std::optional<size_t> limit = os::address_space_limit();
  if (limit) {
    if (std::optional<PageCount> share = arena_share_of_limit(); share) {
      arena_fit(*share);
    }
  }
  size_t all = arena_page_count();
  if (end.value > all) {
    return false;
  }
  // A sixteenth ahead, so that a growing heap does not call the system for every chunk.
  size_t ahead = std::min(g_committed.value / 16, size_t{64 * kMiB / kPageSize});
  size_t exact = std::min(round_up(end.value, kPagesPerChunk), all);
  size_t goal = std::min(round_up(end.value + ahead, kPagesPerChunk), all);
  for (size_t target : {goal, exact}) {
    // The arena was reserved ahead of a later limit, so the system does not keep it for us.
    if (limit && target * kPageSize > *limit) {
      continue;
    }
    void* from = pointer_to(PageId(g_committed.value));
    if (open_tables(target) && os::commit(from, (target - g_committed.value) * kPageSize)) {
      g_committed = PageCount(target);
      return true;
    }
  }
  return false;
}

std::optional<PageCount> arena_share_of_limit() {
  std::optional<size_t> limit = os::address_space_limit();
  size_t used = os::address_space_used();
  if (!limit || used <= *limit) {
    return std::nullopt;
  }
  size_t pages = arena_page_count();
  size_t ours = pages * kPageSize + entries_bytes(pages) + spans_bytes(pages) + meta_reserved();
  size_t share = std::max(share_of(*limit, used - std::min(used, ours)), kSmallestArena);
  return PageCount(std::min(share / kPageSize, pages));
}

void arena_fit(PageCount share) {
  size_t pages = arena_page_count();
  size_t left = std::min(std::max(share.value, round_up(g_committed.value, kPagesPerChunk)), pages);
  g_arena.page_count.store(left, std::memory_order_relaxed);
  cut(pointer_to(PageId(0)), left * kPageSize, pages * kPageSize);
  cut(g_arena.page_entries, std::max(entries_bytes(left), g_entries_writable),
      entries_bytes(pages));
  cut(g_arena.spans, std::max(spans_bytes(left), g_spans_writable), spans_bytes(pages));
  meta_cut(descriptor_bytes(left));
}

void arena_forget(PageId end) {
  g_committed = std::min(g_committed, PageCount(end.value));
}

MSpan* span_around(PageId page) {
  // Every span has an entry at its start and at each chunk's first page.
  for (size_t i = page.value;; --i) {
    if (MSpan* span = span_of_page(PageId(i)); span != nullptr) {
      return span->state == SpanState::kFree || page.value - i >= span->pages.value ? nullptr
                                                                                    : span;
    }
    if (i % kPagesPerChunk == 0) {
      return nullptr;
    }
  }
}

size_t blank_pages(PageId page, size_t limit) {
  if (span_around(page) != nullptr) {
    return 0;
  }
  // No span reaches past an empty entry without being seen at its start or at a chunk's first page.
  size_t count = 1;
  while (count < limit && span_of_page(page + PageCount(count)) == nullptr) {
    ++count;
  }
  return count;
}

PageCount arena_committed() {
  return g_committed;
}

}  // namespace burrow::heap
