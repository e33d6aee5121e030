// Memory for the heap's own descriptors. See metadata.h.
#include "heap/metadata.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "base/units.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr size_t kGrain = 64;
constexpr size_t kLargest = 16 * kKiB;
constexpr size_t kBlock = 128 * kKiB;

struct FreeEntry {
  FreeEntry* next;
};

constinit Mutex g_lock{LockRank::kMetadata};
constinit std::array<FreeEntry*, kLargest / kGrain + 1> g_free BURROW_GUARDED_BY(g_lock){};
constinit char* g_bump BURROW_GUARDED_BY(g_lock) = nullptr;
constinit char* g_bump_end BURROW_GUARDED_BY(g_lock) = nullptr;
// The addresses set aside, and how many bytes of them are in use.
constinit char* g_region BURROW_GUARDED_BY(g_lock) = nullptr;
constinit size_t g_region_bytes BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_region_used BURROW_GUARDED_BY(g_lock) = 0;
// Relaxed: figures only.
constinit std::array<std::atomic<size_t>, kMetaKinds> g_in_use{};
constinit std::atomic<size_t> g_from_os{0};

// A new block of memory; null when the system refuses.
char* take_block() BURROW_REQUIRES(g_lock) {
  if (g_region_bytes - g_region_used >= kBlock) {
    char* block = g_region + g_region_used;
    if (os::commit(block, kBlock)) {
      g_region_used += kBlock;
      return block;
    }
  }
  return static_cast<char*>(os::map_memory(kBlock));
}

void* carve(size_t bytes) BURROW_REQUIRES(g_lock) {
  if (static_cast<size_t>(g_bump_end - g_bump) < bytes) {
    char* block = take_block();
    if (block == nullptr) {
      return nullptr;
    }
    g_from_os.fetch_add(kBlock, std::memory_order_relaxed);
    if (block != g_bump_end) {
      g_bump = block;
    }
    g_bump_end = block + kBlock;
  }
  void* p = g_bump;
  g_bump += bytes;
  return p;
}

}  // namespace

void* meta_allocate(size_t bytes, MetaKind kind) {
  bytes = round_up(bytes, kGrain);
  CHECK(bytes <= kLargest);
  void* p = nullptr;
  {
    MutexLock hold(g_lock);
    FreeEntry*& list = g_free[bytes / kGrain];
    if (list != nullptr) {
      p = list;
      list = list->next;
    } else if (p = carve(bytes); p == nullptr) {
      return nullptr;
    }
  }
  std::memset(p, 0, bytes);
  g_in_use[static_cast<size_t>(kind)].fetch_add(bytes, std::memory_order_relaxed);
  return p;
}

void meta_free(void* p, size_t bytes, MetaKind kind) {
  bytes = round_up(bytes, kGrain);
  g_in_use[static_cast<size_t>(kind)].fetch_sub(bytes, std::memory_order_relaxed);
  MutexLock hold(g_lock);
  auto* entry = static_cast<FreeEntry*>(p);
  entry->next = g_free[bytes / kGrain];
  g_free[bytes / kGrain] = entry;
}

void meta_reserve(size_t bytes) {
  MutexLock hold(g_lock);
  g_region = static_cast<char*>(os::reserve(bytes, os::kOsPageSize));
  g_region_bytes = g_region == nullptr ? 0 : bytes;
}

void meta_cut(size_t bytes) {
  MutexLock hold(g_lock);
  size_t keep = std::max(round_up(bytes, os::kOsPageSize), g_region_used);
  if (keep < g_region_bytes) {
    os::unreserve(g_region + keep, g_region_bytes - keep);
    g_region_bytes = keep;
  }
}

size_t meta_reserved() {
  MutexLock hold(g_lock);
  return g_region_bytes;
}

size_t meta_in_use(MetaKind kind) {
  return g_in_use[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
}

size_t meta_from_os() {
  return g_from_os.load(std::memory_order_relaxed);
}

Mutex& meta_lock() {
  return g_lock;
}

}  // namespace burrow::heap
