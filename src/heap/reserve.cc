// Memory for signal handlers that interrupt the allocator. See reserve.h.
//
// Blocks of powers of two, bumped off one region and kept on a Treiber stack a size once freed.
// Stack heads carry a counter beside the offset, against ABA.
#include "heap/reserve.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "base/bits.h"
#include "base/units.h"
#include "heap/report.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr size_t kPoolBytes = 4 * kMiB;
constexpr size_t kStep = 128 * kKiB;
constexpr size_t kHeader = 16;
constexpr size_t kLargest = 64 * kKiB;
constexpr uint32_t kLiveTag = 0x4c495645;
constexpr uint32_t kFreeTag = 0x46524545;

struct Header {
  std::atomic<uint32_t> tag;  // relaxed: a check for misuse, not for ordering
  uint32_t order;
  uint32_t next;  // offset of the next free header, 0: none
};

static_assert(sizeof(Header) <= kHeader);

constinit char* g_pool = nullptr;
constinit std::atomic<size_t> g_used{kHeader};
// Bytes of the pool that may be used. Relaxed: making them so twice does no harm.
constinit std::atomic<size_t> g_committed{0};
// Low half: offset of the first header; high half: the counter.
constinit std::array<std::atomic<uint64_t>, 17> g_free{};

Header* header_at(size_t offset) {
  return reinterpret_cast<Header*>(g_pool + offset);
}

Header* header_of(const void* p) {
  return header_at(static_cast<size_t>(static_cast<const char*>(p) - g_pool) - kHeader);
}

bool commit_until(size_t end) {
  end = round_up(end, kStep);
  size_t before = g_committed.load(std::memory_order_relaxed);
  if (end <= before) {
    return true;
  }
  if (!os::commit(g_pool, end)) {
    return false;
  }
  while (before < end &&
         !g_committed.compare_exchange_weak(before, end, std::memory_order_relaxed)) {
  }
  return true;
}

}  // namespace

void reserve_init() {
  g_pool = static_cast<char*>(os::reserve(kPoolBytes, os::kOsPageSize));
}

void* reserve_allocate(size_t size) {
  if (size > kLargest || g_pool == nullptr) {
    return nullptr;
  }
  auto order = static_cast<uint32_t>(std::bit_width(size < 16 ? size_t{15} : size - 1));
  std::atomic<uint64_t>& head = g_free[order];
  // Acquire: pairs with the release in reserve_free, so that `next` is seen.
  uint64_t top = head.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(top) != 0) {
    Header* h = header_at(static_cast<uint32_t>(top));
    uint64_t after = ((top >> 32) + 1) << 32 | h->next;
    if (head.compare_exchange_weak(top, after, std::memory_order_acquire)) {
      h->tag.store(kLiveTag, std::memory_order_relaxed);
      return reinterpret_cast<char*>(h) + kHeader;
    }
  }
  size_t bytes = kHeader + (size_t{1} << order);
  // Relaxed: only the number matters.
  size_t offset = g_used.fetch_add(bytes, std::memory_order_relaxed);
  if (offset + bytes > kPoolBytes || !commit_until(offset + bytes)) {
    g_used.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  Header* h = header_at(offset);
  h->order = order;
  h->tag.store(kLiveTag, std::memory_order_relaxed);
  return reinterpret_cast<char*>(h) + kHeader;
}

bool is_reserve_block(const void* p) {
  const char* c = static_cast<const char*>(p);
  return g_pool != nullptr && c >= g_pool + 2 * kHeader &&
         c < g_pool + g_committed.load(std::memory_order_relaxed);
}

void reserve_free(void* p) {
  Header* h = header_of(p);
  uint32_t live = kLiveTag;
  if (reinterpret_cast<uintptr_t>(p) % 16 != 0 ||
      !h->tag.compare_exchange_strong(live, kFreeTag, std::memory_order_relaxed)) {
    report_invalid_free(p);
  }
  std::atomic<uint64_t>& head = g_free[h->order];
  uint64_t top = head.load(std::memory_order_relaxed);
  uint64_t offset = static_cast<uint64_t>(reinterpret_cast<char*>(h) - g_pool);
  uint64_t mine = 0;
  do {
    h->next = static_cast<uint32_t>(top);
    mine = ((top >> 32) + 1) << 32 | offset;
    // Release: pairs with the acquires in reserve_allocate.
  } while (
      !head.compare_exchange_weak(top, mine, std::memory_order_release, std::memory_order_relaxed));
}

size_t reserve_usable_size(const void* p) {
  return size_t{1} << header_of(p)->order;
}

}  // namespace burrow::heap
