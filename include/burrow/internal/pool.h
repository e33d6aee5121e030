// A pool without its type. Not for users: see pool.h.
#pragma once

#include <atomic>
#include <cstddef>

#include "burrow/internal/object.h"

namespace burrow::internal {

/// One processor's part of a pool, so far as it is used without a lock: by its processor only, and
/// by the collector while the world is stopped and `busy` is false.
struct PoolShard {
  std::atomic<bool> busy{false};
  void* own = nullptr;
};

/// Shards by `processor_number`; 0 has none.
struct PoolTable {
  size_t size = 0;
  PoolTable* former = nullptr;
  std::atomic<PoolShard*>* shards = nullptr;
};

/// Known by its size: a program and its libraries may each have one.
inline constinit PoolTable no_pool_table;

class PoolCore {
 public:
  constexpr PoolCore() = default;
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;
  ~PoolCore();

  /// Null when there is none.
  void* get() {
    PoolShard* shard = own_shard();
    if (__builtin_expect(shard == nullptr, 0)) {
      return get_slow();
    }
    void* item = exchange(*shard, nullptr);
    return __builtin_expect(item != nullptr, 1) ? item : get_slow();
  }

  void put(void* item) {
    PoolShard* shard = own_shard();
    if (__builtin_expect(shard == nullptr || shard->own != nullptr, 0)) {
      put_slow(item);
      return;
    }
    exchange(*shard, item);
  }

 private:
  friend struct Pools;

  // Acquire: pairs with the releases in pool.cc that publish tables and shards.
  [[nodiscard]] PoolShard* own_shard() const {
    size_t number = processor_number();
    const PoolTable* table = table_.load(std::memory_order_acquire);
    return number < table->size ? table->shards[number].load(std::memory_order_acquire) : nullptr;
  }

  // Atomic towards the collector, which looks while this thread is stopped in between: the fences
  // order the stores towards its signal handler.
  static void* exchange(PoolShard& shard, void* item) {
    shard.busy.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    void* former = shard.own;
    shard.own = item;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    shard.busy.store(false, std::memory_order_relaxed);
    return former;
  }

  void* get_slow();
  void put_slow(void* item);

  std::atomic<PoolTable*> table_{&no_pool_table};
  /// Of all that have no number; its lock guards all of it.
  std::atomic<PoolShard*> common_{nullptr};
  PoolCore* next_ = nullptr;  ///< in the list of pools
  PoolCore* prev_ = nullptr;
  bool listed_ = false;
};

}  // namespace burrow::internal
