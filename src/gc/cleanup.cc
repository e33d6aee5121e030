// Runs destructors and cleanups. See cleanup.h.
#include "gc/cleanup.h"

#include <atomic>

#include "base/annotations.h"
#include "base/futex.h"
#include "base/hold.h"
#include "gc/cache.h"
#include "gc/due_queue.h"
#include "gc/faults.h"
#include "gc/pacer.h"
#include "gc/specials.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/blocking.h"
#include "sched/spawn.h"
#include "sched/start.h"
#include "sched/worker.h"

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

// How many have run. Relaxed: it steers.
constinit std::atomic<uint32_t> g_ran{0};
// A thread that allocates waits for them for so many looks, as long as so many run between two:
// slower ones wait for something themselves, perhaps for what that thread holds.
constexpr int kMostLooks = 17;
constexpr uint32_t kLeastPace = 30;
// The cycle after which that was in vain. Relaxed: it steers.
constinit std::atomic<uint32_t> g_gave_up{UINT32_MAX};
// Who runs them: see `self`. Relaxed: a thread can only find itself there.
constinit std::atomic<const void*> g_runner{nullptr};
// Destructors and cleanups up to this serial are the parent's. Relaxed: written in the child of a
// fork, where one thread is.
constinit std::atomic<uint64_t> g_inherited{0};

// The calling goroutine, or the calling thread.
const void* self() {
  const sched::Worker* worker = sched::this_worker();
  const sched::Goroutine* here = worker != nullptr ? worker->here() : nullptr;
  return here != nullptr ? static_cast<const void*>(here) : &t_hold;
}

bool take_due(Special& special, void*& object) {
  BusyScope busy;
  return g_due.pop(special, object);
}

// An exception that leaves a destructor or cleanup ends the program here, by noexcept.
BURROW_NOINLINE void run_one(const Special& special, void* object) noexcept {
  if (special.serial <= g_inherited.load(std::memory_order_relaxed) &&
      !g_faults.inherited_destructors) {
    return;
  }
  special.function(special.kind == SpecialKind::kDestroy ? object : special.argument);
}

// REQUIRES: g_taken is the caller's.
void run_due() {
  constexpr uint32_t kMany = 1024;
  do {
    g_runner.store(self(), std::memory_order_relaxed);
    Special special;
    void* object = nullptr;
    while (take_due(special, object)) {
      run_one(special, object);
      // A stale copy on this stack would keep the object for another cycle.
      object = nullptr;
      special = Special{};
      if (g_ran.fetch_add(1, std::memory_order_relaxed) % kMany == 0) {
        g_pacer.note_destroyed();
      }
    }
    g_pacer.note_destroyed();
    g_runner.store(nullptr, std::memory_order_relaxed);
    g_taken.store(false, std::memory_order_seq_cst);
    g_rests.fetch_add(1, std::memory_order_release);
    futex_wake_all(g_rests);
  } while (g_due.size() != 0 && !g_taken.exchange(true, std::memory_order_seq_cst));
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

// Until the time has come: signals and runners that rest end a sleep early. True when none is due.
bool wait_until(int64_t deadline_ns) {
  for (;;) {
    uint32_t rests = g_rests.load(std::memory_order_acquire);
    if (g_due.size() == 0) {
      return true;
    }
    int64_t left_ns = deadline_ns - os::monotonic_ns();
    if (left_ns <= 0) {
      return false;
    }
    futex_wait_for(g_rests, rests, left_ns);
  }
}

// False when they do not get on.
bool wait_while_they_run() {
  int64_t look_ns = g_cleanup_look_ns.load(std::memory_order_relaxed);
  for (int look = 0; look < kMostLooks; ++look) {
    uint32_t ran = g_ran.load(std::memory_order_relaxed);
    if (wait_until(os::monotonic_ns() + look_ns)) {
      return true;
    }
    if (g_ran.load(std::memory_order_relaxed) - ran < kLeastPace) {
      return false;
    }
  }
  return false;
}

}  // namespace

void wake_cleanups() {
  if (g_due.size() == 0 || g_taken.exchange(true, std::memory_order_seq_cst)) {
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
    if (g_due.size() == 0 && !g_taken.load(std::memory_order_seq_cst)) {
      return;
    }
    wake_cleanups();
    sched::BlockingScope lend;
    futex_wait(g_rests, rests);
  }
}

void wait_for_cleanups(uint32_t cycle) {
  if (g_due.size() == 0 || g_gave_up.load(std::memory_order_relaxed) == cycle ||
      g_runner.load(std::memory_order_relaxed) == self() || g_faults.no_cleanup_wait) {
    return;
  }
  sched::BlockingScope lend;
  g_cleanup_waiters.fetch_add(1, std::memory_order_relaxed);
  if (!wait_while_they_run()) {
    g_gave_up.store(cycle, std::memory_order_relaxed);
  }
  g_cleanup_waiters.fetch_sub(1, std::memory_order_relaxed);
}

bool cleanups_run() {
  return g_taken.load(std::memory_order_seq_cst);
}

void reset_cleanups_after_fork(bool beside_others) {
  if (beside_others) {
    g_inherited.store(last_special(), std::memory_order_relaxed);
  }
  g_runner.store(nullptr, std::memory_order_relaxed);
  g_cleanup_waiters.store(0, std::memory_order_relaxed);
  g_thread_started.store(false, std::memory_order_relaxed);
  g_thread_wanted.store(0, std::memory_order_relaxed);
  g_taken.store(false, std::memory_order_relaxed);
}

}  // namespace burrow::gc
