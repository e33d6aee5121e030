// The marking of a cycle, from its first stop of the world to its last. See collector.h.
#include <utility>

#include "base/futex.h"
#include "gc/cache.h"
#include "gc/central.h"
#include "gc/changes.h"
#include "gc/collector.h"
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/goroutines.h"
#include "gc/hooks.h"
#include "gc/large.h"
#include "gc/mapped_roots.h"
#include "gc/settle.h"
#include "gc/stale_words.h"
#include "gc/stops.h"
#include "gc/team.h"
#include "gc/thread_roots.h"
#include "gc/verify.h"
#include "os/os.h"
#include "os/stop.h"

namespace burrow::gc {

bool Collector::begin_mark(RootJobs& jobs) {
  (void)take_scanned_bytes(RootJob::Kind::kManual);
  look_for_other_malloc();
  jobs.clear();
  add_goroutines(jobs);
  Address start = heap::g_arena.base;
  Address end = start + heap::arena_committed().bytes();
  add_arena(jobs, RootJob::Kind::kManual, start, end);
  times_ = {.start_ns = os::monotonic_ns(), .assist_ns = -g_team.assist_ns()};
  auto threads = g_stops.stop();
  if (!threads) {
    return false;
  }
  note_thread_stacks(*threads);
  run_cycle_hooks();
  if (verifying()) {
    begin_stale_words();
  }
  // Stacks now, and not only at the end: a thread may have looked at the flag before it was set and
  // store afterwards; what it will store is in its registers.
  scan_threads(g_team.leader(), *threads, nullptr);
  burrow_gc_marking = 1;
  phase_.store(Phase::kMark, std::memory_order_relaxed);
  os::resume_threads();
  begun_cycles_.fetch_add(1, std::memory_order_release);
  futex_wake_all(begun_cycles_);
  times_.marking_ns = os::monotonic_ns();
  times_.marking_cpu_ns = -threads_cpu_ns();
  add_mapped_roots(jobs);
  return true;
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
  if (auto threads = g_stops.stop(); threads) {
    scan_threads(g_team.leader(), *threads, nullptr);
    os::resume_threads();
  }
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

// REQUIRES: the world is stopped and marked, and the loader's lock is held.
void verify_world(RootJobs& jobs, std::span<const os::StoppedThread> threads) {
  jobs.clear();
  add_globals(jobs);
  add_mapped_roots(jobs);
  auto add = [&](Address from, Address to) { jobs.add(RootJob::Kind::kWords, from, to); };
  for_each_thread_root(threads, RangeVisitor::of(add), RangeVisitor::of(add));
  note_running(threads);
  add_goroutines(jobs);
  Address start = heap::g_arena.base;
  add_arena(jobs, RootJob::Kind::kManual, start, start + heap::arena_committed().bytes());
  verify_marks(jobs);
}

}  // namespace

// The last look at everything that has no barrier. When the world cannot be stopped, nothing has
// changed, and marking goes on. REQUIRES: the loader's lock is held.
void Collector::finish_mark() {
  again_.clear();
  add_globals(again_);
  (void)take_scanned_bytes(RootJob::Kind::kGoroutines);
  int64_t cpu_ns = threads_cpu_ns();
  times_.ending_ns = os::monotonic_ns();
  auto stopped = g_stops.stop();
  if (!stopped) {
    return;
  }
  std::span<const os::StoppedThread> threads = *stopped;
  times_.marking_cpu_ns += cpu_ns;
  phase_.store(Phase::kStopped, std::memory_order_relaxed);
  note_thread_stacks(threads);
  add_mapped_roots(again_);
  CycleFigures figures{.global_bytes = again_.bytes()};
  if (!g_faults.no_stack_rescan) {
    figures.stack_bytes = scan_threads(g_team.leader(), threads, &again_);
    note_running(threads);
  }
  if (!g_faults.no_goroutine_rescan) {
    add_goroutines(again_);
  }
  add_changes(again_);
  gather_shaded();
  g_team.run(again_, Pace::kStopped);
  figures.stack_bytes += take_scanned_bytes(RootJob::Kind::kGoroutines);
  figures.manual_bytes = take_scanned_bytes(RootJob::Kind::kManual);
  if (verifying()) {
    verify_world(again_, threads);
    forget_stale_words();
  }
  work_ += g_team.take_work();
  flip(work_, figures);
  begin_settle();
  burrow_gc_marking = 0;
  phase_.store(Phase::kEnding, std::memory_order_relaxed);
  forget_running();
  marked_ = true;
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
  figures.held_bytes = held_bytes_;
  stats_.figures = figures;
  stats_.marked_objects = work.marked_objects;
  AllocationFigures small = allocation_figures_while_stopped();
  LargeFigures large = large_figures_while_stopped();
  stats_.total_objects = small.objects + large.total_objects;
  stats_.total_bytes = small.bytes + large.total_bytes;
  g_pacer.end_cycle(figures);
}

}  // namespace burrow::gc
