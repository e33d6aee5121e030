// Pacer: when the next collection starts, and how much allocating threads help. See gc.h, "Pacing".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/special.h"
#include "heap/mheap.h"

namespace burrow::gc {

/// What a cycle found, for the pacer and for gctrace.
struct CycleFigures {
  uint64_t live_at_start = 0;  ///< heap bytes when marking began
  uint64_t live_at_end = 0;    ///< heap bytes when it ended, before the flip
  uint64_t marked_bytes = 0;   ///< bytes of objects that live
  uint64_t held_bytes = 0;     ///< of them: that only wait for their destructors
  uint64_t goal = 0;           ///< heap bytes at which marking was to be done
  uint64_t stack_bytes = 0;    ///< of stacks and registers that were looked through at the end
  uint64_t global_bytes = 0;   ///< of variables of all loaded objects
  uint64_t manual_bytes = 0;   ///< of malloc'd blocks that may hold pointers
};

class Pacer {
 public:
  constexpr Pacer() = default;

  /// Reads BURROW_GC and BURROW_MEMLIMIT.
  void init();

  /// Allocation and its undoing, in runs.
  void note_allocated(size_t bytes) { live_.fetch_add(bytes, std::memory_order_relaxed); }

  void note_unused(size_t bytes) { live_.fetch_sub(bytes, std::memory_order_relaxed); }

  /// Heap bytes: what lived at the last flip, and what was allocated since.
  [[nodiscard]] uint64_t live() const { return live_.load(std::memory_order_relaxed); }

  /// True when a cycle should start: the heap has grown, or malloc's blocks have beyond what the
  /// heap may grow by, and destructors may free some.
  [[nodiscard]] bool due() const {
    return live() >= trigger_.load(std::memory_order_relaxed) || owned_past(owned_trigger_);
  }

  /// A destructor or cleanup waits, or so many wait no more: without any, garbage owns no blocks of
  /// malloc's.
  void add_owner() { owners_.fetch_add(1, std::memory_order_relaxed); }

  void remove_owners(size_t count) { owners_.fetch_sub(count, std::memory_order_relaxed); }

  /// So many bytes more of unreachable objects wait for their destructors, since the last
  /// `end_cycle`. They take memory, but do not let the heap grow as living ones do.
  void note_held(uint64_t bytes);

  /// Destructors have run: malloc's blocks are as few as they get.
  void note_destroyed();

  /// True when the heap is past its goal: a cycle should have begun.
  [[nodiscard]] bool late() const {
    return live() > goal_.load(std::memory_order_relaxed) || owned_past(owned_goal_);
  }

  /// True when the heap is so far past its goal that who allocates has to wait for the cycle.
  [[nodiscard]] bool over() const {
    return live() > most_.load(std::memory_order_relaxed) || owned_past(owned_most_);
  }

  /// Bytes of scanning that are to be done for each byte allocated while marking, in 1/1024.
  [[nodiscard]] uint64_t assist_ratio() const {
    return assist_ratio_.load(std::memory_order_relaxed);
  }

  /// Marking begins; `expected_work` bytes are to be scanned.
  void begin_cycle(uint64_t expected_work);
  /// Sets the ratio anew by what is left. Called now and then while marking.
  void revise(uint64_t work_done);
  /// What the collector has had of the processors since this was last called, of all the time that
  /// they had. While that is more than half, cycles that only the memory limit asks for have to
  /// wait for more allocation: the heap grows past the limit rather than that the program stands
  /// still.
  void note_share(int64_t cpu_ns, int64_t processors_ns);
  /// REQUIRES: the world is stopped.
  void end_cycle(const CycleFigures& figures);

  /// GOGC's percentage; -1: off. Returns the former.
  int set_percent(int percent);

  [[nodiscard]] int percent() const { return percent_.load(std::memory_order_relaxed); }

  [[nodiscard]] uint64_t goal() const { return goal_.load(std::memory_order_relaxed); }

  /// Bytes that the last cycle found alive.
  [[nodiscard]] uint64_t marked() const { return marked_.load(std::memory_order_relaxed); }

  /// Bytes that only wait for their destructors, see `note_held`.
  [[nodiscard]] uint64_t held() const { return held_.load(std::memory_order_relaxed); }

  /// Sets the trigger anew after a change of the percentage or the limit.
  void recompute();

 private:
  static constexpr uint64_t kLeastLimitRoom = uint64_t{1} << 20;

  [[nodiscard]] bool owned_past(const std::atomic<uint64_t>& mark) const {
    return owners_.load(std::memory_order_relaxed) != 0 &&
           owned() > mark.load(std::memory_order_relaxed);
  }

  /// Bytes of malloc's blocks, and of what is noted of objects with destructors.
  [[nodiscard]] uint64_t owned() const {
    return heap::g_mheap.manual_bytes() + owners_.load(std::memory_order_relaxed) * sizeof(Special);
  }

  void set_owned_goal();
  [[nodiscard]] uint64_t limited(uint64_t goal) const;
  [[nodiscard]] static uint64_t grown_with(const CycleFigures& figures);

  // All relaxed: figures that steer; none guards other data.
  std::atomic<uint64_t> live_{0};
  std::atomic<uint64_t> trigger_{UINT64_MAX};
  std::atomic<uint64_t> goal_{0};
  std::atomic<uint64_t> most_{UINT64_MAX};  ///< see `over`
  std::atomic<uint64_t> marked_{0};
  std::atomic<uint64_t> held_{0};
  std::atomic<uint64_t> roots_{0};  ///< bytes that let the heap grow beyond what lives
  std::atomic<uint64_t> assist_ratio_{0};
  std::atomic<uint64_t> runway_{0};  ///< bytes allocated during the last marking
  std::atomic<uint64_t> expected_work_{0};
  std::atomic<size_t> owners_{0};
  /// Bytes of malloc's blocks at the last cycle's end, or the fewest since its destructors ran; the
  /// same a cycle before. What is there when a cycle ends may be garbage's.
  std::atomic<uint64_t> owned_{0};
  std::atomic<uint64_t> owned_before_{0};
  /// As `trigger_`, `goal_` and `most_`, for malloc's blocks.
  std::atomic<uint64_t> owned_trigger_{UINT64_MAX};
  std::atomic<uint64_t> owned_goal_{UINT64_MAX};
  std::atomic<uint64_t> owned_most_{UINT64_MAX};
  std::atomic<int> percent_{100};
  /// Bytes that may be allocated between two cycles whatever the limit says.
  std::atomic<uint64_t> limit_room_{kLeastLimitRoom};
};

extern constinit Pacer g_pacer;

}  // namespace burrow::gc
