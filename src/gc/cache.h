// Cache: one thread's (or processor's) share of the collected heap. See gc.h, "Allocation".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/hold.h"
#include "base/mutex.h"
#include "burrow/internal/object.h"
#include "gc/central.h"
#include "gc/mark_pool.h"

namespace burrow::gc {

inline constexpr size_t kSlots = internal::kObjectKinds * internal::kObjectClasses;

/// Belongs to the thread that it is bound to. `slots` comes first: burrow_gc_slots points there.
struct Cache {
  std::array<internal::BumpSlot, kSlots> slots{};
  std::array<heap::MSpan*, kSlots> spans{};  ///< where each slot's run lies
  uint64_t allocated_bytes = 0;              ///< in runs ever taken
  uint64_t allocated_objects = 0;
  int64_t assist_debt = 0;      ///< bytes of scanning owed for what was allocated while marking
  WorkChunk* shaded = nullptr;  ///< words that the barrier shaded and nobody has marked yet
  Cache* next = nullptr;        ///< in the list of all caches
  Cache* prev = nullptr;

  /// Slot 0 serves no class: there `internal::processor_number` finds the number.
  [[nodiscard]] size_t number() const { return reinterpret_cast<size_t>(slots[0].next); }

  void set_number(size_t number) { slots[0].next = slots[0].end = reinterpret_cast<char*>(number); }

  /// The next block of a fresh run. Null when memory is out.
  [[nodiscard]] void* refill(ObjectKind kind, SizeClass c);

  /// Gives all spans back.
  void flush();

 private:
  void drop_span(size_t slot, SizeClass c, ObjectKind kind);
};

/// What a thread knows of the collector. Lives in static thread-local storage.
struct ThreadState {
  Cache* cache = nullptr;
};

extern constinit thread_local ThreadState t_gc;

/// Keeps the collector from stopping the thread for a scope. Scopes may nest.
class BusyScope {
 public:
  BusyScope() { begin_hold(); }

  ~BusyScope() { end_hold(); }

  BusyScope(const BusyScope&) = delete;
  BusyScope& operator=(const BusyScope&) = delete;
};

/// Makes the thread forget its cache: when its MCache goes to another thread.
void unbind_cache();

/// CollectorHooks::cache_ends.
void end_cache(void* collected);

/// The calling thread's cache, made at its first call; null when memory is out.
[[nodiscard]] Cache* current_cache();

/// Hands all caches' shaded words to the pool. REQUIRES: the world is stopped.
void gather_shaded();

/// Small objects ever handed out, by all threads. Exact while they rest.
struct AllocationFigures {
  uint64_t bytes = 0;  ///< in size-class bytes
  uint64_t objects = 0;
};

[[nodiscard]] AllocationFigures allocation_figures();

/// The same. REQUIRES: the world is stopped.
[[nodiscard]] AllocationFigures allocation_figures_while_stopped();

/// For fork.
[[nodiscard]] RankedMutex& cache_list_lock();

/// In the child of a fork: empties the caches of all other threads, which may have been in the
/// middle of something, and returns the calling thread's own, or null.
Cache* forget_other_caches();

/// Adds, by class, the blocks of all threads' runs that are not handed out yet.
void count_unused_blocks(std::array<uint64_t, internal::kObjectClasses>& blocks);

}  // namespace burrow::gc
