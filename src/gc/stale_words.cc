// The words of the arena when a cycle began. See stale_words.h.
#include "gc/stale_words.h"

#include <algorithm>
#include <array>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "gc/no_access.h"
#include "gc/roots.h"
#include "heap/arena.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

// A byte for each word: 0, or a hash of the stale word. Written and read with the world stopped.
constinit uint8_t* g_hashes = nullptr;
constinit size_t g_count = 0;

uint8_t hash_of(Address word) {
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  return static_cast<uint8_t>(word * kGolden >> 56 | 1);
}

uint8_t& hash_at(Address at) {
  return g_hashes[(at - heap::g_arena.base) / sizeof(Address)];
}

bool points_into_arena(Address word) {
  return word - heap::g_arena.base < g_count * sizeof(Address);
}

// Every word of a page as if the page were nobody's; objects have no such words.
void note_page(PageId page) {
  // A copy: what is free now may become a guarded block, whose last page has no access.
  std::array<Address, kPageSize / sizeof(Address)> words;
  Address start = heap::address_of(page);
  if (!os::try_read(words.data(), start, kPageSize)) {
    return;
  }
  bool objects = entry_of(page).collected();
  for (size_t i = 0; i < words.size(); ++i) {
    if (points_into_arena(words[i]) && (!objects || !find_object(words[i]))) {
      hash_at(start + i * sizeof(Address)) = hash_of(words[i]);
    }
  }
}

// Words of a block in use: pointers, if there is an object.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void except_block(Address start,
                                                                         Address end) {
  if (any_no_access() && has_no_access(start, end)) {
    return;
  }
  for (Address at = round_up(start, sizeof(Address)); at + sizeof(Address) <= end;
       at += sizeof(Address)) {
    Address word = *reinterpret_cast<const volatile Address*>(at);
    if (points_into_arena(word) && find_object(word)) {
      hash_at(at) = 0;
    }
  }
}

}  // namespace

void begin_stale_words() {
  forget_stale_words();
  size_t committed = heap::arena_committed().bytes();
  size_t most = heap::g_arena.page_count * kPageSize;
  // The arena grows meanwhile, and words of it point to what is new there.
  g_count = std::min(2 * committed + kGiB, most) / sizeof(Address);
  g_hashes = static_cast<uint8_t*>(os::map_memory(round_up(g_count, os::kOsPageSize)));
  CHECK(g_hashes != nullptr);
  Address start = heap::g_arena.base;
  note_stale_words(start, start + committed);
}

void note_stale_words(Address start, Address end) {
  Address limit = heap::g_arena.base + g_count * sizeof(Address);
  end = std::min(end, limit);
  if (start >= end) {
    return;
  }
  PageId last((end - 1 - heap::g_arena.base) >> kPageShift);
  for (PageId page((start - heap::g_arena.base) >> kPageShift); page.value <= last.value;
       page = page + PageCount(1)) {
    note_page(page);
  }
  for_each_root_range({start, end, RootJob::Kind::kManual}, except_block);
}

bool is_stale_word(Address found_at, Address word) {
  size_t index = (found_at - heap::g_arena.base) / sizeof(Address);
  return index < g_count && g_hashes[index] == hash_of(word);
}

void forget_stale_words() {
  if (g_hashes != nullptr) {
    os::unmap_memory(g_hashes, round_up(g_count, os::kOsPageSize));
    g_hashes = nullptr;
    g_count = 0;
  }
}

}  // namespace burrow::gc
