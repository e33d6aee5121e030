// Roots: memory that is looked through without being reached. See gc.h, "Roots".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/units.h"
#include "gc/marker.h"
#include "gc/outside_list.h"

namespace burrow::gc {

/// A part of the roots, small enough to share them out among markers.
struct RootJob {
  enum class Kind : uint8_t {
    kWords,    ///< every word of [start, end) that can be read; not in the arena
    kFrames,   ///< the same, of stacks and registers
    kManual,   ///< malloc'd blocks in a part of the arena
    kAgain,    ///< malloc'd blocks, and marked objects of ObjectKind::kRaw, in a part of the arena
    kChanged,  ///< the same in what was written to
    kChangedLast,  ///< the same, and nobody will ask again
    kGoroutines,   ///< the stacks of goroutines: `start` and `end` are numbers of slots
  };
  static constexpr size_t kKinds = 7;
  Address start = 0;
  Address end = 0;
  Kind kind = Kind::kWords;
};

/// A list of jobs in memory of its own; grows, never shrinks. One writer; then many `take`.
class RootJobs {
 public:
  constexpr RootJobs() = default;

  void clear();
  /// Splits a range into jobs. Ends the program when memory for them is out.
  void add(RootJob::Kind kind, Address start, Address end);
  /// Adds the stacks of the first `count` slots.
  void add_slots(size_t count);
  /// The next job that nobody took; null when all are taken. Any thread.
  [[nodiscard]] const RootJob* take();

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  /// All jobs, taken or not. REQUIRES: no writer.
  template <typename F>
  void for_each(F f) const {
    for (size_t i = 0; i < jobs_.size(); ++i) {
      f(jobs_[i]);
    }
  }

 private:
  OutsideList<RootJob> jobs_;
  uint64_t bytes_ = 0;
  // Relaxed: hands out numbers; the jobs were written before the markers were started.
  std::atomic<size_t> next_{0};
};

/// Adds the writable segments of all loaded objects. REQUIRES: the loader's lock can be had, so not
/// while the world is stopped, except inside `with_loader_lock`.
void add_globals(RootJobs& jobs);

/// Adds a part of the arena; kManual or kAgain.
void add_arena(RootJobs& jobs, RootJob::Kind kind, Address start, Address end);

/// Calls `f(argument)` while no object can be loaded or unloaded by another thread.
void with_loader_lock(void (*f)(void* argument), void* argument);

/// Calls `visit(start, end)` with each range of words that the job is about.
void for_each_root_range(const RootJob& job, void (*visit)(void* argument, Address, Address),
                         void* argument);

template <typename F>
void for_each_root_range(const RootJob& job, F visit) {
  for_each_root_range(
      job, [](void* f, Address from, Address to) { (*static_cast<F*>(f))(from, to); }, &visit);
}

/// Scans one job.
void run_job(Marker& marker, const RootJob& job);

/// Bytes that jobs of a kind had to scan since the last call.
[[nodiscard]] uint64_t take_scanned_bytes(RootJob::Kind kind);

}  // namespace burrow::gc
