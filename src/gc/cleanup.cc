// Runs destructors and cleanups. See cleanup.h.
#include "gc/cleanup.h"

#include <atomic>

#include "base/futex.h"
#include "gc/specials.h"
#include "os/thread.h"

namespace burrow::gc {
namespace {

// Rises when there may be work. Release when raised, acquire by the thread that runs them.
constinit std::atomic<uint32_t> g_wakes{0};
// Rises whenever the thread has run out of work.
constinit std::atomic<uint32_t> g_rests{0};
constinit std::atomic<bool> g_started{false};
// Set before the thread looks for work: whoever finds nothing due and this false has seen it done.
constinit std::atomic<bool> g_running{false};

// An exception that leaves a destructor or cleanup ends the program here, by noexcept.
void run_one(const Special& special, void* object) noexcept {
  special.function(special.kind == SpecialKind::kDestroy ? object : special.argument);
}

void cleanup_main() {
  for (;;) {
    uint32_t wakes = g_wakes.load(std::memory_order_acquire);
    Special special;
    void* object = nullptr;
    g_running.store(true, std::memory_order_seq_cst);
    while (take_due(special, object)) {
      run_one(special, object);
      // A stale copy on this stack would keep the object for another cycle.
      object = nullptr;
      special = Special{};
    }
    g_running.store(false, std::memory_order_seq_cst);
    g_rests.fetch_add(1, std::memory_order_release);
    futex_wake_all(g_rests);
    futex_wait(g_wakes, wakes);
  }
}

}  // namespace

void wake_cleanups() {
  if (due_count() == 0) {
    return;
  }
  if (!g_started.exchange(true, std::memory_order_acq_rel)) {
    if (!os::start_mutator_thread("burrow-cleanup", cleanup_main)) {
      g_started.store(false, std::memory_order_release);
      return;  // tried again after the next cycle
    }
  }
  g_wakes.fetch_add(1, std::memory_order_release);
  futex_wake_all(g_wakes);
}

void drain_cleanups() {
  for (;;) {
    uint32_t rests = g_rests.load(std::memory_order_acquire);
    if (due_count() == 0 && !g_running.load(std::memory_order_seq_cst)) {
      return;
    }
    wake_cleanups();
    futex_wait(g_rests, rests);
  }
}

void reset_cleanups_after_fork() {
  g_started.store(false, std::memory_order_relaxed);
  g_running.store(false, std::memory_order_relaxed);
}

}  // namespace burrow::gc
