// Team: the threads that mark. See gc.h, "Marking".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/marker.h"
#include "gc/roots.h"
#include "gc/turn.h"

namespace burrow::gc {

/// The collector's thread leads; helpers join a run that is not over soon.
class Team {
 public:
  constexpr Team() = default;

  /// Starts the helpers (fewer when the system refuses). False when memory is out. Once.
  [[nodiscard]] bool start(size_t helpers);

  /// Marks from `jobs` and from the pool until there is nothing left to do.
  void run(RootJobs& jobs, Pace pace);

  /// Sums of all markers since the last call. REQUIRES: no run.
  [[nodiscard]] Marker::Work take_work();

  /// Adds what others marked, and how long it took them. Any thread.
  void add_work(const Marker::Work& work, int64_t ns);

  /// The sum of those times so far.
  [[nodiscard]] int64_t assist_ns() const { return assist_ns_.load(std::memory_order_relaxed); }

  /// A cycle begins. REQUIRES: no run.
  void begin_cycle() { quota_.begin(count_); }

  /// For a turn of the leader outside of runs.
  Quota& quota() { return quota_; }

  /// The leader's own marker. REQUIRES: the leader, no run.
  Marker& leader() { return markers_[0]; }

  /// Processor time of all helpers in all runs so far.
  [[nodiscard]] int64_t helpers_cpu_ns() const {
    return helpers_cpu_ns_.load(std::memory_order_relaxed);
  }

  /// In the child of a fork: there are no helpers any more.
  void reset_after_fork();

 private:
  static constexpr size_t kMostMarkers = 16;

  static void helper_main();
  void help(Marker& marker);
  void work(Marker& marker);
  void call_helpers();
  [[nodiscard]] bool works_alone(const Marker& marker) const;
  void check(const Marker& marker, Turn& turn);
  void drain(Marker& marker, Turn& turn);
  bool wait_for_work(Turn& turn);

  // In memory of their own: what lies in a marker's batch must not be a root.
  Marker* markers_ = nullptr;
  size_t count_ = 1;
  RootJobs* jobs_ = nullptr;
  Pace pace_ = Pace::kStopped;  ///< written and read as `jobs_` is
  Quota quota_;
  // The leader's own, for the run that is on.
  bool called_ = false;
  int64_t started_ns_ = 0;
  // Rises when helpers are called (release: `jobs_` and what it holds) and when their run ends; odd
  // during one.
  std::atomic<uint32_t> run_{0};
  // Markers that may still produce work. Acquire and release: whoever sees 0 sees their marks.
  std::atomic<uint32_t> busy_{0};
  // Helpers inside `help`; the leader waits for 0 before it ends the run.
  std::atomic<uint32_t> inside_{0};
  std::atomic<size_t> next_marker_{1};
  std::atomic<int64_t> helpers_cpu_ns_{0};  // relaxed: a figure
  // What others marked; relaxed: read when the world is stopped.
  std::atomic<uint64_t> others_marked_bytes_{0};
  std::atomic<uint64_t> others_marked_objects_{0};
  std::atomic<uint64_t> others_scanned_bytes_{0};
  std::atomic<int64_t> assist_ns_{0};
};

extern constinit Team g_team;

}  // namespace burrow::gc
