// Waiting of threads that allocate past the goal. See collector.h.
#include <atomic>

#include "base/annotations.h"
#include "base/futex.h"
#include "gc/collector.h"
#include "gc/faults.h"
#include "gc/pacer.h"
#include "gc/stops.h"
#include "gc/turn.h"
#include "os/os.h"
#include "sched/blocking.h"

namespace burrow::gc {
namespace {

constexpr int64_t kLookNs = 10'000'000;

}  // namespace

void Collector::wait_for_start() {
  Waiter waiter;
  // Acquire: pairs with the release in `begin_mark`. Read before the phase is.
  uint32_t seen = begun_cycles_.load(std::memory_order_acquire);
  while (g_pacer.late() && !g_stops.failing() && phase() != Phase::kMark &&
         phase() != Phase::kStopped && begun_cycles_.load(std::memory_order_acquire) == seen) {
    request();
    if (!started_.load(std::memory_order_acquire)) {
      return;  // the system refuses the collector's threads
    }
    futex_wait_for(begun_cycles_, seen, kLookNs);
  }
}

void Collector::wait_for_marks() {
  Waiter waiter;
  // Acquire: pairs with the release in `run_cycle`. Read before the pacer is asked: a goal that
  // comes later ends the sleep.
  uint32_t seen = marked_cycles_.load(std::memory_order_acquire);
  // By the clock: signals end a sleep early.
  int64_t free_at_ns = os::monotonic_ns();
  while (g_pacer.over() && !g_stops.failing() &&
         marked_cycles_.load(std::memory_order_acquire) == seen) {
    Loader loader = loader_.load(std::memory_order_relaxed);
    int64_t now_ns = os::monotonic_ns();
    free_at_ns = loader == Loader::kFree ? now_ns : free_at_ns;
    if (loader == Loader::kStuck) {
      return;
    }
    if (now_ns - free_at_ns > g_loader_looks * kLookNs) {
      // Only if it still waits: who has the lock by now is not stuck.
      loader_.compare_exchange_strong(loader, Loader::kStuck, std::memory_order_relaxed);
      return;
    }
    request();
    if (!started_.load(std::memory_order_acquire)) {
      return;  // the system refuses the collector's threads
    }
    futex_wait_for(marked_cycles_, seen, kLookNs);
  }
}

void hold_back() {
  if (BURROW_LIKELY(!g_pacer.late()) || g_faults.no_hold_back) {
    return;
  }
  Phase phase = g_collector.phase();
  if ((phase == Phase::kMark || phase == Phase::kStopped) && !g_pacer.over()) {
    return;
  }
  sched::BlockingScope lend;
  g_collector.wait_for_start();
  if (g_pacer.over()) {
    g_collector.wait_for_marks();
  }
}

}  // namespace burrow::gc
