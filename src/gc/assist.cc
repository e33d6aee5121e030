// What allocating threads do of the marking. See gc.h, "A cycle", and pacer.h.
#include <algorithm>
#include <array>
#include <atomic>
#include <new>

#include "gc/cache.h"
#include "gc/collector.h"
#include "gc/marker.h"
#include "gc/pacer.h"
#include "gc/team.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

constexpr int64_t kLeastWork = 16 * kKiB;
// Bounds the time that an allocation takes, and that a stop of the world waits for it.
constexpr int64_t kMostWork = 64 * kKiB;

// A marker for whoever assists now; with all taken, others go on without.
struct alignas(64) Seat {
  std::atomic<bool> taken{false};
  // In memory of its own: what lies in a marker's batch must not be a root.
  Marker* marker = nullptr;
};

constinit std::array<Seat, 8> g_seats{};

Seat* take_seat() {
  for (Seat& seat : g_seats) {
    // Acquire: pairs with the release when it was left.
    if (!seat.taken.load(std::memory_order_relaxed) &&
        !seat.taken.exchange(true, std::memory_order_acquire)) {
      if (seat.marker == nullptr) {
        void* memory = os::map_memory(sizeof(Marker));
        if (memory == nullptr) {
          seat.taken.store(false, std::memory_order_release);
          return nullptr;
        }
        seat.marker = new (memory) Marker;
        seat.marker->init();
      }
      return &seat;
    }
  }
  return nullptr;
}

}  // namespace

void assist(size_t allocated_bytes) {
  BusyScope busy;
  Cache* cache = current_cache();
  // Again, now that the thread cannot be stopped: the cycle may have ended.
  if (cache == nullptr || burrow_gc_marking == 0) {
    return;
  }
  cache->assist_debt += static_cast<int64_t>(allocated_bytes * g_pacer.assist_ratio() / 1024);
  if (cache->assist_debt < kLeastWork || !g_mark_pool.has_work()) {
    cache->assist_debt = std::min(cache->assist_debt, 4 * kMostWork);
    return;
  }
  Seat* seat = take_seat();
  if (seat == nullptr) {
    return;
  }
  int64_t started = os::monotonic_ns();
  (void)seat->marker->drain(static_cast<size_t>(std::min(cache->assist_debt, kMostWork)));
  // Nobody but the pool may hold work when the world stops.
  seat->marker->flush();
  Marker::Work work = seat->marker->take_work();
  seat->taken.store(false, std::memory_order_release);
  cache->assist_debt -= static_cast<int64_t>(work.scanned_bytes + work.marked_bytes);
  g_team.add_work(work, os::monotonic_ns() - started);
}

}  // namespace burrow::gc
