// Reservation and commit of the arena. See arena.h.
#include "heap/arena.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"
#include "os/os.h"

namespace burrow::heap {

constinit ArenaParams g_arena;

namespace {

constexpr size_t kDefaultArena = kTiB;
constexpr size_t kSmallestArena = 64 * kMiB;

// Guarded by the heap's lock after start.
constinit PageCount g_committed;

size_t wanted_bytes() {
  std::optional<size_t> limit = os::address_space_limit();
  if (!limit) {
    return kDefaultArena;
  }
  size_t used = os::address_space_used();
  size_t room = *limit > used ? *limit - used : 0;
  // A quarter of the room stays for thread stacks, libraries and the program's own mappings.
  return std::clamp(round_down(room / 4 * 3, kChunkSize), kSmallestArena, kDefaultArena);
}

// Tables are reserved in full and become readable with the pages they describe.
bool reserve_all(size_t bytes) {
  size_t pages = bytes / kPageSize;
  size_t entries_bytes = round_up(pages * sizeof(uint16_t), os::kOsPageSize);
  size_t spans_bytes = round_up(pages * sizeof(MSpan*), os::kOsPageSize);
  void* arena = os::reserve(bytes, kChunkSize);
  if (arena == nullptr) {
    return false;
  }
  void* tables = os::reserve(entries_bytes + spans_bytes, os::kOsPageSize);
  // Readable in full at once, so that a lookup of any arena address needs no second test. The
  // system charges nothing for it until it is written, except under strict overcommit.
  if (tables != nullptr && !os::commit(tables, entries_bytes + spans_bytes)) {
    os::unreserve(tables, entries_bytes + spans_bytes);
    tables = nullptr;
  }
  if (tables == nullptr) {
    os::unreserve(arena, bytes);
    return false;
  }
  g_arena.base = reinterpret_cast<Address>(arena);
  g_arena.page_count = pages;
  g_arena.page_entries = static_cast<std::atomic<uint16_t>*>(tables);
  g_arena.spans =
      reinterpret_cast<std::atomic<MSpan*>*>(static_cast<char*>(tables) + entries_bytes);
  return true;
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
  fatal("cannot reserve 64 MiB of address space for the heap: raise RLIMIT_AS (ulimit -v)");
}

bool arena_commit_until(PageId end) {
  if (end.value <= g_committed.value) {
    return true;
  }
  if (end.value > g_arena.page_count) {
    return false;
  }
  // A sixteenth ahead, so that a growing heap does not call the system for every chunk.
  size_t ahead = std::min(g_committed.value / 16, size_t{64 * kMiB / kPageSize});
  size_t exact = std::min(round_up(end.value, kPagesPerChunk), g_arena.page_count);
  size_t goal = std::min(round_up(end.value + ahead, kPagesPerChunk), g_arena.page_count);
  std::optional<size_t> limit = os::address_space_limit();
  for (size_t target : {goal, exact}) {
    // The arena is reserved ahead of any later setrlimit: the limit is kept by hand.
    if (limit && target * kPageSize > *limit) {
      continue;
    }
    void* from = pointer_to(PageId(g_committed.value));
    if (os::commit(from, (target - g_committed.value) * kPageSize)) {
      g_committed = PageCount(target);
      return true;
    }
  }
  return false;
}

PageCount arena_committed() {
  return g_committed;
}

}  // namespace burrow::heap
