// Counts by allocation site. See buckets.h.
//
// Buckets are made once and never freed, in memory mapped for them; the hash table chains them.
// Live blocks are in an open-addressed table that doubles; taking one out moves later ones back, so
// that there are no tombstones: a program that samples the same few addresses again and again would
// fill their home slots with them and walk hundreds at each call.
#include "prof/buckets.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/mutex.h"
#include "base/units.h"
#include "os/fork.h"
#include "os/os.h"
#include "prof/code_modules.h"
#include "prof/unwind.h"

namespace burrow::prof {
namespace {

struct Bucket {
  Bucket* next_in_chain;
  Bucket* next;  // in the list of all
  uint64_t hash;
  size_t size;
  // Relaxed: written under the lock, read as figures without it.
  std::atomic<uint64_t> allocs;
  std::atomic<uint64_t> frees;
  size_t depth;

  uintptr_t* stack() { return reinterpret_cast<uintptr_t*>(this + 1); }
};

struct LiveEntry {
  void* block;  // null: free slot
  Bucket* bucket;
};

constexpr size_t kChains = 1 << 12;
constexpr size_t kBlockBytes = 256 * kKiB;
constexpr size_t kFirstLive = 1 << 10;

constinit Mutex g_lock{LockRank::kProfBuckets};
constinit Bucket** g_chains BURROW_GUARDED_BY(g_lock) = nullptr;
// Acquire by readers pairs with the release of a finished bucket.
constinit std::atomic<Bucket*> g_all{nullptr};
constinit char* g_bump BURROW_GUARDED_BY(g_lock) = nullptr;
constinit size_t g_bump_left BURROW_GUARDED_BY(g_lock) = 0;
constinit LiveEntry* g_live BURROW_GUARDED_BY(g_lock) = nullptr;
constinit size_t g_live_capacity BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_live_count BURROW_GUARDED_BY(g_lock) = 0;
constinit std::atomic<size_t> g_memory{0};
constinit std::atomic<size_t> g_count{0};

void* map(size_t bytes) {
  void* p = os::map_memory(bytes);
  if (p != nullptr) {
    g_memory.fetch_add(bytes, std::memory_order_relaxed);
  }
  return p;
}

// The high and the low half of a 128-bit product, folded: every bit of both counts.
uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A polynomial of the addresses, two instructions a frame: with stacks 60 deep this is most of
// record_alloc.
uint64_t hash_of(size_t size, std::span<const uintptr_t> stack) {
  constexpr uint64_t kOdd1 = 0x9E3779B97F4A7C15;
  constexpr uint64_t kOdd2 = 0xD6E8FEB86659FD93;
  uint64_t h = size;
  size_t i = 0;
  for (; i + 4 <= stack.size(); i += 4) {
    h = h * kOdd1 + stack[i];
    h = h * kOdd1 + stack[i + 1];
    h = h * kOdd1 + stack[i + 2];
    h = h * kOdd1 + stack[i + 3];
  }
  for (; i < stack.size(); ++i) {
    h = h * kOdd1 + stack[i];
  }
  return fold(h, kOdd2);
}

Bucket* make_bucket(uint64_t hash, size_t size, std::span<const uintptr_t> stack)
    BURROW_REQUIRES(g_lock) {
  size_t bytes = sizeof(Bucket) + stack.size_bytes();
  if (g_bump_left < bytes) {
    g_bump = static_cast<char*>(map(kBlockBytes));
    if (g_bump == nullptr) {
      g_bump_left = 0;
      return nullptr;
    }
    g_bump_left = kBlockBytes;
  }
  auto* b = reinterpret_cast<Bucket*>(g_bump);
  g_bump += bytes;
  g_bump_left -= bytes;
  b->hash = hash;
  b->size = size;
  b->depth = stack.size();
  std::memcpy(b->stack(), stack.data(), stack.size_bytes());
  b->next_in_chain = std::exchange(g_chains[hash % kChains], b);
  b->next = g_all.load(std::memory_order_relaxed);
  // Release: pairs with the acquire in for_each_bucket.
  g_all.store(b, std::memory_order_release);
  g_count.fetch_add(1, std::memory_order_relaxed);
  return b;
}

Bucket* find_bucket(size_t size, std::span<const uintptr_t> stack) BURROW_REQUIRES(g_lock) {
  if (g_chains == nullptr) {
    g_chains = static_cast<Bucket**>(map(kChains * sizeof(Bucket*)));
    if (g_chains == nullptr) {
      return nullptr;
    }
  }
  uint64_t hash = hash_of(size, stack);
  for (Bucket* b = g_chains[hash % kChains]; b != nullptr; b = b->next_in_chain) {
    if (b->hash == hash && b->size == size && b->depth == stack.size() &&
        std::equal(stack.begin(), stack.end(), b->stack())) {
      return b;
    }
  }
  return make_bucket(hash, size, stack);
}

size_t home_of(const void* block, size_t capacity) {
  return fold(reinterpret_cast<uintptr_t>(block), 0x9E3779B97F4A7C15) & (capacity - 1);
}

void put(LiveEntry* table, size_t capacity, LiveEntry entry) {
  size_t i = home_of(entry.block, capacity);
  while (table[i].block != nullptr) {
    i = (i + 1) & (capacity - 1);
  }
  table[i] = entry;
}

// Empties slot `hole`; entries behind it that it kept from their home move up (Knuth, 6.4 R).
void take_out(LiveEntry* table, size_t capacity, size_t hole) {
  size_t mask = capacity - 1;
  for (size_t i = (hole + 1) & mask; table[i].block != nullptr; i = (i + 1) & mask) {
    size_t from_home = (i - home_of(table[i].block, capacity)) & mask;
    if (from_home >= ((i - hole) & mask)) {
      table[hole] = table[i];
      hole = i;
    }
  }
  table[hole] = {};
}

// Keeps the table at most half used.
bool make_room() BURROW_REQUIRES(g_lock) {
  if ((g_live_count + 1) * 2 <= g_live_capacity) {
    return true;
  }
  size_t capacity = std::max(kFirstLive, g_live_capacity * 2);
  auto* table = static_cast<LiveEntry*>(map(capacity * sizeof(LiveEntry)));
  if (table == nullptr) {
    return false;
  }
  for (size_t i = 0; i < g_live_capacity; ++i) {
    if (g_live[i].block != nullptr) {
      put(table, capacity, g_live[i]);
    }
  }
  if (g_live != nullptr) {
    os::unmap_memory(g_live, g_live_capacity * sizeof(LiveEntry));
    g_memory.fetch_sub(g_live_capacity * sizeof(LiveEntry), std::memory_order_relaxed);
  }
  g_live = table;
  g_live_capacity = capacity;
  return true;
}

}  // namespace

bool record_alloc(void* block, size_t size, std::span<const uintptr_t> stack) {
  MutexLock hold(g_lock);
  Bucket* bucket = find_bucket(size, stack);
  if (bucket == nullptr || !make_room()) {
    return false;
  }
  put(g_live, g_live_capacity, {block, bucket});
  ++g_live_count;
  bucket->allocs.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void record_free(void* block) {
  MutexLock hold(g_lock);
  if (g_live_capacity == 0) {
    return;
  }
  size_t mask = g_live_capacity - 1;
  size_t i = home_of(block, g_live_capacity);
  while (g_live[i].block != nullptr) {
    if (g_live[i].block == block) {
      // Release: pairs with the acquire in for_each_bucket.
      g_live[i].bucket->frees.fetch_add(1, std::memory_order_release);
      take_out(g_live, g_live_capacity, i);
      --g_live_count;
      return;
    }
    i = (i + 1) & mask;
  }
}

void for_each_bucket(void (*visit)(void* argument, const BucketView& view), void* argument) {
  // Acquire: pairs with the release in make_bucket.
  for (Bucket* b = g_all.load(std::memory_order_acquire); b != nullptr; b = b->next) {
    // Frees first: a block allocated and freed in between must not make them exceed allocs.
    uint64_t frees = b->frees.load(std::memory_order_acquire);
    uint64_t allocs = b->allocs.load(std::memory_order_relaxed);
    visit(argument, BucketView{{b->stack(), b->depth}, b->size, allocs, std::min(frees, allocs)});
  }
}

size_t bucket_count() {
  return g_count.load(std::memory_order_relaxed);
}

size_t bucket_memory() {
  return g_memory.load(std::memory_order_relaxed);
}

namespace {

constinit os::ForkPart g_fork_part{.rank = LockRank::kProfBuckets,
                                   .each_lock = [](auto visit) { visit(g_lock); },
                                   .child =
                                       [] {
                                         reset_code_modules_after_fork();
                                         reset_walks_after_fork();
                                       }};

__attribute__((constructor(102))) void add_part() {
  os::add_fork_part(g_fork_part);
}

}  // namespace
}  // namespace burrow::prof
