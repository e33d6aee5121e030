// Runs destructors and cleanups. See cleanup.h.
#include "gc/cleanup.h"

#include <atomic>

#include "base/annotations.h"
#include "base/futex.h"
#include "gc/specials.h"
#include "os/thread.h"
#include "sched/blocking.h"
#include "sched/spawn.h"
#include "sched/start.h"

namespace burrow::gc {
namespace {

// Somebody runs them, or has been told to. Seq_cst: whoever lets go looks for more afterwards, and
// whoever adds some tries to take it afterwards.
constinit std::atomic<bool> g_taken{false};
// 1: the thread is to run them, and has g_taken. Release when set, acquire by the thread.
constinit std::atomic<uint32_t> g_thread_wanted{0};
// Rises whenever a runner has run out of work.
constinit std::atomic<uint32_t> g_rests{0};
constinit std::atomic<bool> g_thread_started{false};

// An exception that leaves a destructor or cleanup ends the program here, by noexcept.
BURROW_NOINLINE void run_one(const Special& special, void* object) noexcept {
  special.function(special.kind == SpecialKind::kDestroy ? object : special.argument);
}

// REQUIRES: g_taken is the caller's.
void run_due() {
  do {
    Special special;
    void* object = nullptr;
    while (take_due(special, object)) {
      run_one(special, object);
      // A stale copy on this stack would keep the object for another cycle.
      object = nullptr;
      special = Special{};
    }
    g_taken.store(false, std::memory_order_seq_cst);
    g_rests.fetch_add(1, std::memory_order_release);
    futex_wake_all(g_rests);
  } while (due_count() != 0 && !g_taken.exchange(true, std::memory_order_seq_cst));
}

void thread_main() {
  for (;;) {
    if (g_thread_wanted.exchange(0, std::memory_order_acquire) != 0) {
      run_due();
    } else {
      futex_wait(g_thread_wanted, 0);
    }
  }
}

void start_as_goroutine() {
  sched::NewGoroutine made = sched::new_goroutine(0, 1);
  auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  sched::start_goroutine(made.goroutine, [](void*) { run_due(); }, pc);
}

bool wake_thread() {
  if (!g_thread_started.exchange(true, std::memory_order_acq_rel) &&
      !os::start_mutator_thread("burrow-cleanup", thread_main)) {
    g_thread_started.store(false, std::memory_order_release);
    return false;
  }
  g_thread_wanted.store(1, std::memory_order_release);
  futex_wake_one(g_thread_wanted);
  return true;
}

}  // namespace

void wake_cleanups() {
  if (due_count() == 0 || g_taken.exchange(true, std::memory_order_seq_cst)) {
    return;
  }
  if (sched::runs_goroutines()) {
    start_as_goroutine();
  } else if (!wake_thread()) {
    g_taken.store(false, std::memory_order_seq_cst);  // tried again after the next cycle
  }
}

void drain_cleanups() {
  for (;;) {
    uint32_t rests = g_rests.load(std::memory_order_acquire);
    if (due_count() == 0 && !g_taken.load(std::memory_order_seq_cst)) {
      return;
    }
    wake_cleanups();
    sched::BlockingScope lend;
    futex_wait(g_rests, rests);
  }
}

void reset_cleanups_after_fork() {
  g_thread_started.store(false, std::memory_order_relaxed);
  g_thread_wanted.store(0, std::memory_order_relaxed);
  g_taken.store(false, std::memory_order_relaxed);
}

}  // namespace burrow::gc
