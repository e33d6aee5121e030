// Cycles. See collector.h.
#include "gc/collector.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/futex.h"
#include "base/hold.h"
#include "gc/cache.h"
#include "gc/central.h"
#include "gc/changes.h"
#include "gc/cleanup.h"
#include "gc/due_queue.h"
#include "gc/faults.h"
#include "gc/goroutines.h"
#include "gc/large.h"
#include "gc/mark_pool.h"
#include "gc/no_access.h"
#include "gc/settle.h"
#include "gc/specials.h"
#include "gc/stops.h"
#include "gc/team.h"
#include "gc/trace.h"
#include "os/os.h"
#include "os/stop.h"
#include "os/thread.h"
#include "sched/usage.h"

extern "C" {
constinit unsigned char burrow_gc_marking = 0;
}

namespace burrow::gc {

constinit Collector g_collector;

namespace {

// Who waits for a lock inside a BusyScope is waited for, so who holds that lock must go on too.
bool may_stop(const Hold& hold) {
  return hold.depth == 0 || g_faults.stop_with_locks;
}

}  // namespace

void Collector::sweep(bool all) {
  Turn turn(g_team.quota(), Pace::kBeside);
  for_each_central([&](Central& central) {
    for (bool more = true; more;) {
      {
        BusyScope busy;
        more = central.sweep_some(16, all);
      }
      turn.check();
    }
  });
  sweep_large();
  clear_next_marks(turn);
}

void Collector::clear_next_marks(Turn& turn) {
  constexpr PageCount kSome(4096);
  PageCount pages = heap::arena_committed();
  for (PageId at(0); at.value < pages.value; at = at + kSome) {
    clear_marks(at, std::min(kSome, pages - PageCount(at.value)),
                g_epoch.load(std::memory_order_relaxed) + 1);
    turn.check();
  }
}

// REQUIRES: the collector's thread.
int64_t Collector::threads_cpu_ns() const {
  return os::thread_cpu_ns() + g_team.helpers_cpu_ns();
}

void Collector::note_share() {
  int64_t now = os::monotonic_ns();
  int64_t cpu = threads_cpu_ns() + g_team.assist_ns();
  int64_t used = 0;
  {
    MutexLock hold(stats_lock_);
    used = cpu - std::exchange(stats_.cpu_ns, cpu);
  }
  g_pacer.note_share(used, (now - std::exchange(share_noted_ns_, now)) * os::processor_count());
}

void Collector::with_loader(void (Collector::*step)()) {
  struct Call {
    Collector* collector;
    void (Collector::*step)();
  } call{this, step};

  loader_.store(Loader::kWanted, std::memory_order_relaxed);
  with_loader_lock(
      [](void* raw) {
        Call& c = *static_cast<Call*>(raw);
        c.collector->loader_.store(Loader::kFree, std::memory_order_relaxed);
        (c.collector->*c.step)();
      },
      &call);
}

// What waits for its destructor since cycles before: marked beside the program, and counted by
// itself. What the runner takes meanwhile lies on its stack.
void Collector::mark_due() {
  held_bytes_ = 0;
  if (g_due.size() == 0) {
    return;
  }
  uint64_t marked = work_.marked_bytes;
  {
    BusyScope busy;
    g_due.mark(g_team.leader());
  }
  jobs_.clear();
  run_beside(jobs_);
  held_bytes_ = work_.marked_bytes - marked;
}

void Collector::settle_dead() {
  Settled settled = settle();
  g_pacer.note_held(settled.marked_bytes);
  MutexLock hold(stats_lock_);
  stats_.figures.marked_bytes += settled.marked_bytes;
  stats_.figures.held_bytes += settled.marked_bytes;
  stats_.marked_objects += settled.marked_objects;
}

void Collector::wake_waiters() {
  futex_wake_all(g_collector.begun_cycles_);
  futex_wake_all(g_collector.marked_cycles_);
  futex_wake_all(g_collector.done_);
}

// Until the world could be stopped for it: what a thread does that cannot be stopped may last.
void Collector::end_marking() {
  marked_ = false;
  while (note_reached()) {
  }
  with_loader(&Collector::finish_mark);
  while (!marked_) {
    // A fork is not to wait for that.
    left_ = Left::kMarks;
    cycle_lock_.unlock();
    g_stops.await_chance(wake_waiters);
    cycle_lock_.lock();
    left_ = Left::kNothing;
    mark_again();
    while (note_reached()) {
    }
    with_loader(&Collector::finish_mark);
  }
}

// What the parent has left undone comes first, in the child of a fork.
void Collector::take_up() {
  switch (std::exchange(left_, Left::kNothing)) {
    case Left::kNothing:
      break;
    case Left::kMarks:
      // What was stored since has shaded nothing: these marks say nothing any more.
      if (!g_faults.inherited_marks) {
        Turn turn(g_team.quota(), Pace::kBeside);
        g_mark_pool.clear();
        clear_next_marks(turn);
        forget_reached();
      }
      break;
    case Left::kSweep:
      sweep(/*all=*/false);
      break;
  }
}

// Outside of the lock: it starts a goroutine or a thread, whose locks come before.
void Collector::wake_runner() {
  left_ = Left::kSweep;
  cycle_lock_.unlock();
  wake_cleanups();
  cycle_lock_.lock();
  left_ = Left::kNothing;
}

bool Collector::run_cycle(bool forced) {
  {
    MutexLock hold(stats_lock_);
    stats_.figures.live_at_start = g_pacer.live();
  }
  g_pacer.begin_cycle(g_pacer.marked() + g_pacer.held());
  g_team.begin_cycle();
  take_up();
  {
    Turn turn(g_team.quota(), Pace::kBeside);
    begin_changes(turn);
  }
  if (!begin_mark(jobs_)) {
    Turn turn(g_team.quota(), Pace::kBeside);
    end_changes(turn);
    return false;
  }
  with_loader(&Collector::scan_globals);
  work_ = {};
  run_beside(jobs_);
  mark_due();
  mark_again();
  end_marking();
  int64_t pause_ns =
      times_.marking_ns - times_.start_ns + times_.looks_ns + times_.end_ns - times_.ending_ns;
  note_share();
  if (settling()) {
    settle_dead();
  }
  g_pacer.recompute();
  phase_.store(Phase::kOff, std::memory_order_relaxed);
  marked_cycles_.fetch_add(1, std::memory_order_release);
  futex_wake_all(marked_cycles_);
  futex_wake_all(begun_cycles_);  // who waits there can ask for the next
  {
    Turn turn(g_team.quota(), Pace::kBeside);
    end_changes(turn);
  }
  report_dead_samples();
  {
    MutexLock hold(stats_lock_);
    stats_.pauses_ns[stats_.cycles % 256] = pause_ns;
    stats_.pause_ends_ns[stats_.cycles % 256] = os::wall_ns();
    ++stats_.cycles;
    stats_.forced += forced ? 1 : 0;
    stats_.pause_total_ns += pause_ns;
    stats_.last_end_ns = os::wall_ns();
    stats_.times = times_;
  }
  wake_runner();
  sweep(forced);
  trace_cycle(stats_, forced);
  return true;
}

void Collector::run_cycle_when_possible(bool forced) {
  for (;;) {
    {
      MutexLock hold(cycle_lock_);
      if (run_cycle(forced)) {
        return;
      }
    }
    g_stops.await_chance(wake_waiters);
  }
}

void Collector::serve() {
  uint32_t served = done_.load(std::memory_order_relaxed);
  for (;;) {
    // Acquire: pairs with the releases in `request` and `collect`.
    uint32_t wanted = wanted_.load(std::memory_order_acquire);
    while (wanted == served && futex_wait_for(wanted_, wanted, g_period_ns)) {
      wanted = wanted_.load(std::memory_order_acquire);
    }
    phase_.store(Phase::kBeginning, std::memory_order_relaxed);
    // Again: what is asked for from now on is refused, or served by the next cycle.
    wanted = wanted_.load(std::memory_order_acquire);
    bool forced = forced_wanted_.exchange(0, std::memory_order_acq_rel) != 0;
    serving_.store(wanted, std::memory_order_relaxed);
    run_cycle_when_possible(forced);
    (void)sched::trim_idle_stacks();
    served = wanted;
    done_.store(served, std::memory_order_release);
    futex_wake_all(done_);
  }
}

void Collector::main() {
  g_collector.serve();
}

bool Collector::start() {
  if (started_.load(std::memory_order_acquire)) {
    return true;
  }
  BusyScope busy;
  MutexLock hold(start_lock_);
  if (started_.load(std::memory_order_relaxed)) {
    return true;
  }
  if (!os::stop_init({may_stop, note_stacks})) {
    return false;
  }
  (void)os::static_tls_bytes();  // asks the loader, whose lock a stopped thread may hold
  changes_init();
  if (!g_team.start(static_cast<size_t>(std::max(1, os::processor_count()) - 1)) ||
      !os::start_background_thread("burrow-gc", main)) {
    return false;
  }
  started_.store(true, std::memory_order_release);
  return true;
}

void Collector::request() {
  if (phase() != Phase::kOff || g_stops.given_up() || !start()) {
    return;
  }
  // One beyond the cycle that was begun last, which may still sweep; others need add none.
  uint32_t served = serving_.load(std::memory_order_relaxed);
  if (wanted_.compare_exchange_strong(served, served + 1, std::memory_order_release,
                                      std::memory_order_relaxed)) {
    futex_wake_all(wanted_);
  }
}

void Collector::collect() {
  if (!start()) {
    fatal("cannot start the collector's threads");
  }
  forced_wanted_.fetch_add(1, std::memory_order_acq_rel);
  // A cycle that is underway may have passed this thread's roots by: ask for one after it.
  uint32_t mine = wanted_.fetch_add(1, std::memory_order_release) + 1;
  futex_wake_all(wanted_);
  for (;;) {
    uint32_t done = done_.load(std::memory_order_acquire);
    if (static_cast<int32_t>(done - mine) >= 0 || g_stops.given_up()) {
      return;
    }
    constexpr int64_t kLookNs = 100'000'000;
    (void)futex_wait_for(done_, done, kLookNs);
  }
}

CycleStats Collector::stats() {
  BusyScope busy;
  MutexLock hold(stats_lock_);
  return stats_;
}

void Collector::reset_after_fork() {
  started_.store(false, std::memory_order_relaxed);
  phase_.store(Phase::kOff, std::memory_order_relaxed);
  burrow_gc_marking = 0;
  loader_.store(Loader::kFree, std::memory_order_relaxed);
  g_stops.reset_after_fork();
  os::stop_reset_after_fork();
  changes_reset_after_fork();
  no_access_reset_after_fork();
  Waiter::reset_after_fork();
  g_team.reset_after_fork();
}

}  // namespace burrow::gc
