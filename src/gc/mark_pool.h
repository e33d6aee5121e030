// Marking work that anybody may take. See gc.h, "Marking".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "base/mutex.h"
#include "base/units.h"

namespace burrow::gc {

/// A part of the marking work, passed from hand to hand. An item is a word that may point to an
/// object, or, with its lowest bit set, the place in a large object where scanning goes on.
struct WorkChunk {
  static constexpr size_t kCapacity = 510;
  WorkChunk* next = nullptr;
  size_t count = 0;
  std::array<Address, kCapacity> items{};
};

/// The chunks that nobody holds, full and empty ones.
class MarkPool {
 public:
  constexpr MarkPool() = default;

  /// An empty chunk; ends the program when memory is out.
  [[nodiscard]] WorkChunk* get_empty();
  void put_empty(WorkChunk* chunk);

  /// Work; null when there is none.
  [[nodiscard]] WorkChunk* get_full();
  void put_full(WorkChunk* chunk);

  /// Forgets all work.
  void clear();

  /// Relaxed: a hint.
  [[nodiscard]] bool has_work() const { return full_count_.load(std::memory_order_relaxed) > 0; }

  /// For fork.
  RankedMutex& lock() { return lock_; }

  /// A marker has nothing to do, or has something again.
  void note_idle(int change) { idle_.fetch_add(change, std::memory_order_relaxed); }

  /// Markers wait for work and there is none: whoever has much should give some. Relaxed: a hint.
  [[nodiscard]] bool wants_work() const {
    return idle_.load(std::memory_order_relaxed) > 0 && !has_work();
  }

 private:
  Mutex lock_{LockRank::kMarkPool};
  WorkChunk* full_ BURROW_GUARDED_BY(lock_) = nullptr;
  WorkChunk* empty_ BURROW_GUARDED_BY(lock_) = nullptr;
  std::atomic<size_t> full_count_{0};
  std::atomic<int> idle_{0};
};

extern constinit MarkPool g_mark_pool;

}  // namespace burrow::gc
