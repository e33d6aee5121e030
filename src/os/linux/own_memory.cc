// Burrow's own mappings. See os/mappings.h.
#include <sys/mman.h>

#include <array>
#include <atomic>

#include "base/annotations.h"
#include "base/errno_scope.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// Entries are never unlinked: a reader needs no lock, which a stopped thread might hold.
struct Range {
  std::atomic<uintptr_t> start{0};  // 0: free. Release when set, acquire when read
  std::atomic<size_t> bytes{0};     // relaxed: written before `start`
};

constexpr uintptr_t kClaimed = 1;

struct RangePage {
  std::atomic<RangePage*> next{nullptr};  // release when set, acquire when read
  std::array<Range, 255> ranges;
};

static_assert(sizeof(RangePage) <= kOsPageSize);

BURROW_NO_ROOTS constinit RangePage g_first{};

bool claim(RangePage& page, const void* start, size_t bytes) {
  for (Range& range : page.ranges) {
    uintptr_t free = 0;
    if (range.start.load(std::memory_order_relaxed) == 0 &&
        range.start.compare_exchange_strong(free, kClaimed, std::memory_order_acq_rel)) {
      range.bytes.store(bytes, std::memory_order_relaxed);
      range.start.store(reinterpret_cast<uintptr_t>(start), std::memory_order_release);
      return true;
    }
  }
  return false;
}

// Null when memory is out.
RangePage* page_after(RangePage& page) {
  RangePage* next = page.next.load(std::memory_order_acquire);
  if (next != nullptr) {
    return next;
  }
  // Not by `reserve` or `map_memory`, which note it and come here again: the page is looked through
  // in vain, and holds no pointer.
  ErrnoScope keep;
  void* memory =
      ::mmap(nullptr, kOsPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return nullptr;
  }
  auto* fresh = static_cast<RangePage*>(memory);  // zeroes are free entries
  if (!page.next.compare_exchange_strong(next, fresh, std::memory_order_acq_rel)) {
    ::munmap(memory, kOsPageSize);
    return next;
  }
  return fresh;
}

Range* range_of(uintptr_t address) {
  for (RangePage* page = &g_first; page != nullptr;
       page = page->next.load(std::memory_order_acquire)) {
    for (Range& range : page->ranges) {
      uintptr_t start = range.start.load(std::memory_order_acquire);
      if (start > kClaimed && address - start < range.bytes.load(std::memory_order_relaxed)) {
        return &range;
      }
    }
  }
  return nullptr;
}

// The lowest noted range that ends above `from`.
bool next_own(uintptr_t from, uintptr_t& start, uintptr_t& limit) {
  start = UINTPTR_MAX;
  for (RangePage* page = &g_first; page != nullptr;
       page = page->next.load(std::memory_order_acquire)) {
    for (const Range& range : page->ranges) {
      uintptr_t at = range.start.load(std::memory_order_acquire);
      size_t bytes = range.bytes.load(std::memory_order_relaxed);
      if (at > kClaimed && at < start && at + bytes > from) {
        start = at;
        limit = at + bytes;
      }
    }
  }
  return start != UINTPTR_MAX;
}

}  // namespace

void note_own_memory(const void* start, size_t bytes) {
  for (RangePage* page = &g_first; page != nullptr; page = page_after(*page)) {
    if (claim(*page, start, bytes)) {
      return;
    }
  }
}

void forget_own_memory(const void* start) {
  auto address = reinterpret_cast<uintptr_t>(start);
  Range* range = range_of(address);
  if (range == nullptr) {
    return;
  }
  uintptr_t first = range->start.load(std::memory_order_relaxed);
  if (first == address) {
    range->start.store(0, std::memory_order_release);
  } else {
    range->bytes.store(address - first, std::memory_order_relaxed);
  }
}

uintptr_t own_memory_end(uintptr_t address) {
  Range* range = range_of(address);
  return range == nullptr ? 0
                          : range->start.load(std::memory_order_acquire) +
                                range->bytes.load(std::memory_order_relaxed);
}

void for_each_not_own(uintptr_t from, uintptr_t to,
                      void (*visit)(void* argument, uintptr_t from, uintptr_t to), void* argument) {
  uintptr_t start = 0;
  uintptr_t limit = 0;
  while (from < to && next_own(from, start, limit) && start < to) {
    if (start > from) {
      visit(argument, from, start);
    }
    from = limit;
  }
  if (from < to) {
    visit(argument, from, to);
  }
}

}  // namespace burrow::os
