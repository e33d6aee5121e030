// Collector: when cycles run and what they do, in order. See gc.h, "A cycle".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.h"
#include "gc/pacer.h"
#include "gc/roots.h"
#include "gc/turn.h"

namespace burrow::gc {

/// What a cycle is doing. Changed by the collector's thread only.
enum class Phase : uint8_t {
  kOff,        ///< nothing marks; the collector may sweep. A cycle may be asked for
  kBeginning,  ///< a cycle was asked for and will mark soon
  kMark,       ///< marking beside the program; stores to pointer fields shade
  kStopped,    ///< the world is stopped
  kEnding,     ///< the next goal is not known yet
};

/// The collector and the loader's lock. A thread that allocates while it holds that lock (in a
/// constructor of an object that is being loaded) must not wait for the collector.
enum class Loader : uint8_t {
  kFree,    ///< the collector has the lock, or does not want it
  kWanted,  ///< the collector waits for it; set by the collector
  kStuck,   ///< it has waited so long that nobody waits for the cycle; set by who waited
};

/// What of a cycle is to be done while its lock is free for a moment: a child that is forked then
/// has to begin with that.
enum class Left : uint8_t {
  kNothing,
  kMarks,  ///< the last stop has failed: there are marks of a cycle that has not ended
  kSweep,  ///< destructors are due; nothing is swept
};

/// A cycle runs when there was none for so long: Go's forcegcperiod. Tests shorten it before the
/// collector starts.
inline constinit int64_t g_period_ns = 120'000'000'000;

/// After so many times 10 ms of looking at a collector that waits for the loader's lock nobody
/// waits for it: the lock may be the waiter's own. Tests change it.
inline constinit std::atomic<int> g_loader_looks{10};

/// Times and counts for MemStats and gctrace.
/// A cycle's moments, on the monotonic clock, and what it took of the processors meanwhile.
struct CycleTimes {
  int64_t start_ns = 0;        ///< the first stop was asked for
  int64_t marking_ns = 0;      ///< the program went on, marking began
  int64_t ending_ns = 0;       ///< the last stop was asked for
  int64_t end_ns = 0;          ///< the program went on
  int64_t looks_ns = 0;        ///< of stops between the first and the last, for stacks alone
  int64_t assist_ns = 0;       ///< by threads that allocate
  int64_t marking_cpu_ns = 0;  ///< by the collector's threads, between the two stops
};

struct CycleStats {
  uint32_t cycles = 0;
  uint32_t forced = 0;
  int64_t last_end_ns = 0;  ///< wall clock
  int64_t pause_total_ns = 0;
  std::array<int64_t, 256> pauses_ns{};  ///< Go's ring: of cycle n at (n + 255) % 256
  std::array<int64_t, 256> pause_ends_ns{};
  uint64_t marked_objects = 0;
  uint64_t total_objects = 0;  ///< ever handed out, when the last cycle ended
  uint64_t total_bytes = 0;
  int64_t cpu_ns = 0;  ///< of the collector's own threads and of assists, so far
  CycleTimes times;
  CycleFigures figures;
};

class Collector {
 public:
  constexpr Collector() = default;

  /// Starts the collector's threads if they do not run. False when the system refuses.
  bool start();

  /// Asks for a cycle; returns at once. Cheap when one was asked for already.
  void request();

  /// Runs a whole cycle that begins after the call, and its sweep; returns when done, or when the
  /// world could not be stopped for so long that the program was told (stops.h).
  void collect();

  /// Sleeps until a cycle marks, unless the heap comes below its goal.
  void wait_for_start();

  /// Sleeps until the cycle that is underway, or one that is asked for now, has marked and the
  /// pacer has its goal. Returns early when there is no need any more, or no hope: see
  /// `Loader::kStuck`.
  void wait_for_marks();

  /// Cycles that have marked. Relaxed: a number to tell them apart by.
  [[nodiscard]] uint32_t marked_cycles() const {
    return marked_cycles_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }

  [[nodiscard]] CycleStats stats();

  /// For fork. The first is held while a cycle is underway, but for moments (`Left`).
  RankedMutex& cycle_lock() { return cycle_lock_; }

  RankedMutex& start_lock() { return start_lock_; }

  RankedMutex& stats_lock() { return stats_lock_; }

  /// In the child of a fork, where the collector's threads are not.
  void reset_after_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS;

 private:
  static void main();
  void serve();
  void run_cycle_when_possible(bool forced);
  /// False when it could not begin: the world could not be stopped, and all is as it was.
  [[nodiscard]] bool run_cycle(bool forced) BURROW_REQUIRES(cycle_lock_);
  [[nodiscard]] bool begin_mark(RootJobs& jobs);
  void end_marking() BURROW_REQUIRES(cycle_lock_);
  static void wake_waiters();
  void scan_globals();
  void look_at_stacks();
  void mark_due();
  void mark_again();
  /// Marks from the jobs beside the program.
  void run_beside(RootJobs& jobs);
  void finish_mark();
  void flip(const Marker::Work& work, CycleFigures figures);
  void settle_dead();
  void sweep(bool all);
  static void clear_next_marks(Turn& turn);
  void take_up() BURROW_REQUIRES(cycle_lock_);
  void wake_runner() BURROW_REQUIRES(cycle_lock_);
  /// Runs the step while no object can be loaded or unloaded.
  void with_loader(void (Collector::*step)());
  void note_share();
  [[nodiscard]] int64_t threads_cpu_ns() const;

  std::atomic<Phase> phase_{Phase::kOff};
  // Cycles asked for, and done. Release when raised, acquire when waited for.
  std::atomic<uint32_t> wanted_{0};
  // `wanted_` when the last cycle began. Relaxed: an old value refuses a request, or has a cycle
  // run that nobody needs.
  std::atomic<uint32_t> serving_{0};
  std::atomic<uint32_t> forced_wanted_{0};
  std::atomic<uint32_t> done_{0};
  // Cycles that mark or did, and cycles whose marks and goal are there. Release when raised,
  // acquire when waited for.
  std::atomic<uint32_t> begun_cycles_{0};
  std::atomic<uint32_t> marked_cycles_{0};
  std::atomic<Loader> loader_{Loader::kFree};  // relaxed: it tells who waits when to give up
  std::atomic<bool> started_{false};
  Mutex start_lock_{LockRank::kCollector};
  /// Held for the length of a cycle, but for moments (`Left`).
  Mutex cycle_lock_{LockRank::kCycle};
  RootJobs jobs_;
  RootJobs again_;
  CycleStats stats_;
  Mutex stats_lock_{LockRank::kLeaf};
  CycleTimes times_;         ///< of the cycle that is underway
  Marker::Work work_;        ///< the same, by runs that have ended
  uint64_t held_bytes_ = 0;  ///< of `mark_due`
  bool marked_ = false;      ///< the last `finish_mark` has
  Left left_ BURROW_GUARDED_BY(cycle_lock_) = Left::kNothing;
  int64_t share_noted_ns_ = 0;
};

extern constinit Collector g_collector;

/// Takes part in marking for what the calling thread allocates. Called from slow paths.
void assist(size_t allocated_bytes);

/// Past the goal, waits for a cycle to begin; far past it, for the cycle's marks: the collector
/// gets no processor, or there is nothing that could be helped with. Called from slow paths,
/// outside of any `BusyScope`.
void hold_back();

}  // namespace burrow::gc
