// The slow paths of pools, and what a collection does to them. See values.h.
#include "burrow/internal/pool.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/annotations.h"
#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/gc.h"
#include "gc/hooks.h"
#include "heap/heap.h"
#include "os/fork.h"

namespace burrow::internal {
namespace {

constexpr size_t kLeastRing = 8;

/// Objects between `head` and `head + count`, around the end. Lies on the collected heap.
struct Ring {
  size_t capacity;
  size_t head;
  size_t count;

  void** items() { return reinterpret_cast<void**>(this + 1); }

  void push(void* item) { items()[(head + count++) % capacity] = item; }

  void* pop_newest() { return take((head + --count) % capacity); }

  void* pop_oldest() {
    size_t at = head;
    head = (head + 1) % capacity;
    --count;
    return take(at);
  }

 private:
  void* take(size_t at) {
    void* item = items()[at];
    items()[at] = nullptr;
    return item;
  }
};

/// Waits for no cycle inside a BusyScope, so it is called outside.
Ring* new_ring(size_t capacity) {
  size_t bytes = sizeof(Ring) + capacity * sizeof(void*);
  return new (allocate_sized(bytes, ObjectKind::kRaw)) Ring{capacity, 0, 0};
}

/// The whole of a shard.
struct alignas(128) Shard : PoolShard {
  RankedMutex lock{LockRank::kPoolShard};
  Ring* ring BURROW_GUARDED_BY(lock) = nullptr;
  Ring* victims BURROW_GUARDED_BY(lock) = nullptr;
  void* victim BURROW_GUARDED_BY(lock) = nullptr;
  // Hints, relaxed: what may be had.
  std::atomic<size_t> pooled{0};
  std::atomic<bool> has_victims{false};

  /// 0: done. Otherwise `spare` is to be a ring of so many.
  size_t push(void* item, Ring* spare) BURROW_REQUIRES(lock) {
    if (ring == nullptr || ring->count == ring->capacity) {
      size_t wanted = ring == nullptr ? kLeastRing : ring->capacity * 2;
      if (spare == nullptr || spare->capacity < wanted) {
        return wanted;
      }
      while (ring != nullptr && ring->count > 0) {
        spare->push(ring->pop_oldest());
      }
      ring = spare;
    }
    ring->push(item);
    pooled.store(ring->count, std::memory_order_relaxed);
    return 0;
  }

  void* pop(bool newest) BURROW_REQUIRES(lock) {
    if (ring == nullptr || ring->count == 0) {
      return nullptr;
    }
    pooled.store(ring->count - 1, std::memory_order_relaxed);
    return newest ? ring->pop_newest() : ring->pop_oldest();
  }

  void* pop_victim() BURROW_REQUIRES(lock) {
    if (victim != nullptr) {
      return std::exchange(victim, nullptr);
    }
    if (victims != nullptr && victims->count > 0) {
      return victims->pop_newest();
    }
    has_victims.store(false, std::memory_order_relaxed);
    return nullptr;
  }

  /// REQUIRES: the world is stopped.
  void rotate() BURROW_NO_THREAD_SAFETY_ANALYSIS {
    victims = std::exchange(ring, nullptr);
    victim = busy.load(std::memory_order_relaxed) ? nullptr : std::exchange(own, nullptr);
    pooled.store(0, std::memory_order_relaxed);
    has_victims.store(victim != nullptr || (victims != nullptr && victims->count > 0),
                      std::memory_order_relaxed);
  }
};

Shard* whole(PoolShard* shard) {
  return static_cast<Shard*>(shard);
}

constinit RankedMutex g_lock{LockRank::kPools};
constinit PoolCore* g_pools =
    nullptr;  // written under g_lock; read also while the world is stopped
constinit std::atomic<bool> g_started{false};

Shard* new_shard() {
  void* memory = heap::allocate_aligned(alignof(Shard), sizeof(Shard));
  if (memory == nullptr) {
    gc::out_of_memory(sizeof(Shard));
  }
  return new (memory) Shard;
}

}  // namespace

/// What this file does with a PoolCore.
struct Pools {
  /// Calls f(shard) for all shards until it is true.
  template <typename F>
  static void for_each_shard(PoolCore& pool, F f) {
    PoolTable* table = pool.table_.load(std::memory_order_acquire);
    for (size_t i = 0; i < table->size; ++i) {
      Shard* shard = whole(table->shards[i].load(std::memory_order_acquire));
      if (shard != nullptr && f(*shard)) {
        return;
      }
    }
    if (Shard* common = whole(pool.common_.load(std::memory_order_acquire)); common != nullptr) {
      (void)f(*common);
    }
  }

  /// What take(shard) finds, in `first` and then in the others; null for nothing.
  template <typename F>
  static void* search(PoolCore& pool, Shard* first, F take) {
    void* item = take(*first);
    if (item == nullptr) {
      for_each_shard(pool, [&](Shard& shard) {
        item = &shard == first ? nullptr : take(shard);
        return item != nullptr;
      });
    }
    return item;
  }

  static void grow_table(PoolCore& pool, size_t number) BURROW_REQUIRES(g_lock) {
    PoolTable* old = pool.table_.load(std::memory_order_relaxed);
    size_t size = std::max(old->size * 2, (number + 8) / 8 * 8);
    size_t bytes = sizeof(PoolTable) + size * sizeof(std::atomic<PoolShard*>);
    void* memory = heap::allocate_zeroed(bytes);
    if (memory == nullptr) {
      gc::out_of_memory(bytes);
    }
    auto* table = new (memory) PoolTable;
    table->size = size;
    table->former = old;  // others may be looking into it: kept as long as the pool
    table->shards = reinterpret_cast<std::atomic<PoolShard*>*>(table + 1);
    for (size_t i = 0; i < old->size; ++i) {
      table->shards[i].store(old->shards[i].load(std::memory_order_relaxed),
                             std::memory_order_relaxed);
    }
    pool.table_.store(table, std::memory_order_release);
  }

  static void enlist(PoolCore& pool) BURROW_REQUIRES(g_lock) {
    if (!pool.listed_) {
      pool.listed_ = true;
      pool.next_ = g_pools;
      if (g_pools != nullptr) {
        g_pools->prev_ = &pool;
      }
      g_pools = &pool;
    }
  }

  static void unlist(PoolCore& pool) BURROW_REQUIRES(g_lock) {
    (pool.prev_ != nullptr ? pool.prev_->next_ : g_pools) = pool.next_;
    if (pool.next_ != nullptr) {
      pool.next_->prev_ = pool.prev_;
    }
  }

  /// The calling thread's shard, made at its first call. REQUIRES: BusyScope.
  static Shard* shard(PoolCore& pool) {
    (void)gc::current_cache();  // brings a number
    size_t number = processor_number();
    if (PoolShard* own = number == 0 ? nullptr : pool.own_shard(); own != nullptr) {
      return whole(own);
    }
    MutexLock hold(g_lock);
    enlist(pool);
    std::atomic<PoolShard*>* place = &pool.common_;
    if (number != 0) {
      if (number >= pool.table_.load(std::memory_order_relaxed)->size) {
        grow_table(pool, number);
      }
      place = &pool.table_.load(std::memory_order_relaxed)->shards[number];
    }
    PoolShard* made = place->load(std::memory_order_relaxed);
    if (made == nullptr) {
      made = new_shard();
      place->store(made, std::memory_order_release);
    }
    return whole(made);
  }

  static void destroy(PoolCore& pool) {
    gc::BusyScope busy;
    {
      MutexLock hold(g_lock);
      unlist(pool);
    }
    for_each_shard(pool, [](Shard& shard) {
      shard.~Shard();
      heap::deallocate(&shard);
      return false;
    });
    for (PoolTable* table = pool.table_.load(std::memory_order_relaxed); table->size != 0;) {
      heap::deallocate(std::exchange(table, table->former));
    }
  }

  static void rotate_all() BURROW_NO_THREAD_SAFETY_ANALYSIS {
    for (PoolCore* pool = g_pools; pool != nullptr; pool = pool->next_) {
      for_each_shard(*pool, [](Shard& shard) {
        shard.rotate();
        return false;
      });
    }
  }

  static void each_shard_lock(void (*visit)(RankedMutex& lock)) BURROW_NO_THREAD_SAFETY_ANALYSIS {
    for (PoolCore* pool = g_pools; pool != nullptr; pool = pool->next_) {
      for_each_shard(*pool, [visit](Shard& shard) {
        visit(shard.lock);
        return false;
      });
    }
  }

  /// The other threads are gone, and with them what they were in the middle of.
  static void reset_after_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS {
    for (PoolCore* pool = g_pools; pool != nullptr; pool = pool->next_) {
      for_each_shard(*pool, [](Shard& shard) {
        shard.busy.store(false, std::memory_order_relaxed);
        return false;
      });
    }
  }
};

namespace {

/// The hook of a cycle.
void rotate_pools() {
  Pools::rotate_all();
}

void start() {
  gc::start();
  if (!g_started.load(std::memory_order_relaxed) &&
      !g_started.exchange(true, std::memory_order_relaxed)) {
    gc::add_cycle_hook(rotate_pools);
  }
}

constinit os::ForkPart g_fork_parts[] = {
    {.rank = LockRank::kPools,
     .each_lock = [](auto visit) { visit(g_lock); },
     .child = Pools::reset_after_fork},
    {.rank = LockRank::kPoolShard, .each_lock = Pools::each_shard_lock},
};

__attribute__((constructor(102))) void add_parts() {
  for (os::ForkPart& part : g_fork_parts) {
    os::add_fork_part(part);
  }
}

}  // namespace

BURROW_EXPORT PoolCore::~PoolCore() {
  if (listed_) {
    Pools::destroy(*this);
  }
}

BURROW_EXPORT void* PoolCore::get_slow() {
  start();
  gc::BusyScope busy;
  Shard* mine = Pools::shard(*this);
  void* item = Pools::search(*this, mine, [mine](Shard& shard) -> void* {
    if (shard.pooled.load(std::memory_order_relaxed) == 0) {
      return nullptr;
    }
    MutexLock hold(shard.lock);
    return shard.pop(&shard == mine);
  });
  if (item != nullptr) {
    return item;
  }
  return Pools::search(*this, mine, [](Shard& shard) -> void* {
    if (!shard.has_victims.load(std::memory_order_relaxed)) {
      return nullptr;
    }
    MutexLock hold(shard.lock);
    return shard.pop_victim();
  });
}

BURROW_EXPORT void PoolCore::put_slow(void* item) {
  start();
  for (Ring* spare = nullptr;;) {
    size_t wanted = 0;
    {
      gc::BusyScope busy;
      Shard* mine = Pools::shard(*this);
      if (mine != common_.load(std::memory_order_relaxed) && mine->own == nullptr) {
        mine->own = item;
        return;
      }
      MutexLock hold(mine->lock);
      wanted = mine->push(item, spare);
    }
    if (wanted == 0) {
      return;
    }
    spare = new_ring(wanted);
  }
}

}  // namespace burrow::internal
