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
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/goroutines.h"
#include "gc/hooks.h"
#include "gc/large.h"
#include "gc/specials.h"
#include "gc/stale_words.h"
#include "gc/team.h"
#include "gc/trace.h"
#include "gc/verify.h"
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
bool may_stop() {
  return t_hold.depth == 0 || g_faults.stop_with_locks;
}

// What is found is followed later. REQUIRES: the world is stopped.
void scan_stacks(std::span<const os::StoppedThread> threads) {
  for (const os::StoppedThread& thread : threads) {
    for_each_thread_range(thread,
                          [](Address from, Address to) { g_team.leader().scan_words(from, to); });
  }
}

}  // namespace

void Collector::begin_mark(RootJobs& jobs) {
  (void)take_scanned_bytes(RootJob::Kind::kManual);
  jobs.clear();
  add_goroutines(jobs);
  Address start = heap::g_arena.base;
  Address end = start + heap::arena_committed().bytes();
  add_arena(jobs, RootJob::Kind::kManual, start, end);
  times_ = {.start_ns = os::monotonic_ns(), .assist_ns = -g_team.assist_ns()};
  std::span<const os::StoppedThread> threads = os::stop_threads();
  run_cycle_hooks();
  if (verifying()) {
    begin_stale_words();
  }
  // Stacks now, and not only at the end: a thread may have looked at the flag before it was set and
  // store afterwards; what it will store is in its registers.
  scan_stacks(threads);
  burrow_gc_marking = 1;
  phase_.store(Phase::kMark, std::memory_order_relaxed);
  os::resume_threads();
  begun_cycles_.fetch_add(1, std::memory_order_release);
  futex_wake_all(begun_cycles_);
  times_.marking_ns = os::monotonic_ns();
  times_.marking_cpu_ns = -threads_cpu_ns();
}

// Beside the program. REQUIRES: the loader's lock is held, or an object might go meanwhile. So what
// is found is followed later.
void Collector::scan_globals() {
  again_.clear();
  add_globals(again_);
  again_.for_each([](const RootJob& job) { run_job(g_team.leader(), job); });
}

// A stop for the stacks of threads alone: what only they reach is marked beside the program, and
// not in the last stop.
void Collector::look_at_stacks() {
  int64_t started = os::monotonic_ns();
  scan_stacks(os::stop_threads());
  os::resume_threads();
  times_.looks_ns += os::monotonic_ns() - started;
}

// Beside the program: what it wrote and made while it was being marked, until little is left for
// the stop.
void Collector::mark_again() {
  constexpr int kMostRounds = 6;
  constexpr uint64_t kLittle = 512 * kKiB;
  uint64_t allocated = stats_.figures.live_at_start;  // when stacks were last looked at
  bool changes = true;
  for (int round = 0; round < kMostRounds; ++round) {
    jobs_.clear();
    if (changes) {
      Turn turn(g_team.quota(), Pace::kBeside);
      add_changes_beside(jobs_, turn);
    }
    if (round == 0 && !g_faults.no_goroutine_rescan) {
      add_goroutines(jobs_);
    }
    bool made_much = g_pacer.live() >= allocated + kLittle && !g_faults.no_stack_rescan;
    if (made_much) {
      allocated = g_pacer.live();
      look_at_stacks();
    }
    Marker::Work before = work_;
    run_beside(jobs_);
    bool found_much = made_much && work_.marked_bytes - before.marked_bytes >= kLittle;
    changes = changes && looks_again();
    if (!changes && !found_much) {
      return;
    }
  }
}

void Collector::run_beside(RootJobs& jobs) {
  g_team.run(jobs, Pace::kBeside);
  work_ += g_team.take_work();
}

namespace {

// REQUIRES: the world is stopped.
void add_stacks(RootJobs& jobs, std::span<const os::StoppedThread> threads) {
  for (const os::StoppedThread& thread : threads) {
    for_each_thread_range(
        thread, [&](Address from, Address to) { jobs.add(RootJob::Kind::kWords, from, to); });
  }
  note_running(threads);
}

// REQUIRES: the world is stopped and marked, and the loader's lock is held.
void verify_world(RootJobs& jobs, std::span<const os::StoppedThread> threads) {
  jobs.clear();
  add_globals(jobs);
  add_stacks(jobs, threads);
  add_goroutines(jobs);
  Address start = heap::g_arena.base;
  add_arena(jobs, RootJob::Kind::kManual, start, start + heap::arena_committed().bytes());
  verify_marks(jobs);
}

}  // namespace

// The last look at everything that has no barrier. REQUIRES: the loader's lock is held.
void Collector::finish_mark() {
  again_.clear();
  add_globals(again_);
  CycleFigures figures{.global_bytes = again_.bytes()};
  (void)take_scanned_bytes(RootJob::Kind::kGoroutines);
  times_.marking_cpu_ns += threads_cpu_ns();
  times_.ending_ns = os::monotonic_ns();
  std::span<const os::StoppedThread> threads = os::stop_threads();
  phase_.store(Phase::kStopped, std::memory_order_relaxed);
  if (!g_faults.no_stack_rescan) {
    add_stacks(again_, threads);
  }
  figures.stack_bytes = again_.bytes() - figures.global_bytes;
  if (!g_faults.no_goroutine_rescan) {
    add_goroutines(again_);
  }
  add_changes(again_);
  gather_shaded();
  push_due_objects(g_team.leader());
  g_team.run(again_, Pace::kStopped);
  figures.stack_bytes += take_scanned_bytes(RootJob::Kind::kGoroutines);
  figures.manual_bytes = take_scanned_bytes(RootJob::Kind::kManual);
  settle_specials(g_team.leader());
  if (verifying()) {
    verify_world(again_, threads);
    forget_stale_words();
  }
  work_ += g_team.take_work();
  flip(work_, figures);
  burrow_gc_marking = 0;
  phase_.store(Phase::kEnding, std::memory_order_relaxed);
  forget_running();
  os::resume_threads();
  times_.end_ns = os::monotonic_ns();
  times_.assist_ns += g_team.assist_ns();
}

void Collector::flip(const Marker::Work& work, CycleFigures figures) {
  g_epoch.fetch_add(1, std::memory_order_relaxed);
  for_each_central([](Central& central) { central.flip(); });
  begin_large_sweep();
  figures.goal = g_pacer.goal();
  figures.live_at_end = g_pacer.live();
  figures.live_at_start = stats_.figures.live_at_start;
  figures.marked_bytes = work.marked_bytes;
  stats_.figures = figures;
  stats_.marked_objects = work.marked_objects;
  AllocationFigures small = allocation_figures_while_stopped();
  LargeFigures large = large_figures_while_stopped();
  stats_.total_objects = small.objects + large.total_objects;
  stats_.total_bytes = small.bytes + large.total_bytes;
  g_pacer.end_cycle(figures);
}

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

void Collector::run_cycle(bool forced) {
  {
    MutexLock hold(stats_lock_);
    stats_.figures.live_at_start = g_pacer.live();
  }
  g_pacer.begin_cycle(g_pacer.marked());
  g_team.begin_cycle();
  {
    Turn turn(g_team.quota(), Pace::kBeside);
    begin_changes(turn);
  }
  begin_mark(jobs_);
  with_loader(&Collector::scan_globals);
  work_ = {};
  run_beside(jobs_);
  mark_again();
  while (note_reached()) {
  }
  with_loader(&Collector::finish_mark);
  int64_t pause_ns =
      times_.marking_ns - times_.start_ns + times_.looks_ns + times_.end_ns - times_.ending_ns;
  note_share();
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
  wake_cleanups();
  sweep(forced);
  trace_cycle(stats_, forced);
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
    {
      MutexLock hold(cycle_lock_);
      run_cycle(forced);
    }
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
  if (phase() != Phase::kOff || !start()) {
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
    if (static_cast<int32_t>(done - mine) >= 0) {
      return;
    }
    futex_wait(done_, done);
  }
}

CycleStats Collector::stats() {
  BusyScope busy;
  MutexLock hold(stats_lock_);
  return stats_;
}

void Collector::lock_for_fork() {
  cycle_lock_.lock_for_fork();
}

void Collector::unlock_after_fork_in_parent() {
  cycle_lock_.unlock_after_fork();
}

void Collector::reset_after_fork() {
  cycle_lock_.reset_after_fork();
  start_lock_.reset_after_fork();
  started_.store(false, std::memory_order_relaxed);
  phase_.store(Phase::kOff, std::memory_order_relaxed);
  os::stop_reset_after_fork();
  changes_reset_after_fork();
  Waiter::reset_after_fork();
  g_team.reset_after_fork();
}

}  // namespace burrow::gc
