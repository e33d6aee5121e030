// Destructors and cleanups that are due, first in, first out. See gc.h, "Cleanups".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "base/mutex.h"
#include "gc/special.h"

namespace burrow::gc {

class Marker;

/// In chunks outside the heap, which go as they empty: a queue that never runs out does not grow.
class DueQueue {
 public:
  constexpr DueQueue() = default;

  /// Ends the program when memory is out.
  void push(const Special* specials, size_t count);

  /// The first; false when there is none. `object` becomes the object of a destructor, in plain
  /// sight, so that it stays; null for a cleanup. REQUIRES: the caller is busy.
  [[nodiscard]] bool pop(Special& special, void*& object);

  /// Pushes the objects whose destructors are due. REQUIRES: the caller is busy.
  void mark(Marker& marker);

  /// For fork.
  [[nodiscard]] RankedMutex& lock() { return lock_; }

  /// Relaxed: what it counts is read under the lock.
  [[nodiscard]] size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kChunkBytes = size_t{64} * 1024;

  struct Chunk {
    static constexpr size_t kCapacity = (kChunkBytes - 3 * sizeof(void*)) / sizeof(Special);
    Chunk* next = nullptr;
    size_t first = 0;  ///< those before it were taken
    size_t end = 0;
    std::array<Special, kCapacity> specials;
  };

  static_assert(sizeof(Chunk) <= kChunkBytes);

  void add_chunk() BURROW_REQUIRES(lock_);
  void drop_first() BURROW_REQUIRES(lock_);

  Mutex lock_{LockRank::kSpecials};
  Chunk* first_ BURROW_GUARDED_BY(lock_) = nullptr;
  Chunk* last_ BURROW_GUARDED_BY(lock_) = nullptr;
  // Some that are empty: to map them anew costs more than to fill them.
  static constexpr size_t kMostSpare = 64;
  Chunk* spare_ BURROW_GUARDED_BY(lock_) = nullptr;
  size_t spares_ BURROW_GUARDED_BY(lock_) = 0;
  std::atomic<size_t> size_{0};
};

extern constinit DueQueue g_due;

}  // namespace burrow::gc
