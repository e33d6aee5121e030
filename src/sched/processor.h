// A processor: the right to run goroutines, and what comes with it. Go's p. See sched.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sched/goroutine.h"
#include "sched/run_queue.h"
#include "sched/solitude.h"
#include "sched/timer_heap.h"

namespace burrow::heap {
struct MCache;
}

namespace burrow::sched {

/// Who has it.
enum class ProcessorState : uint32_t {
  kIdle,      ///< nobody: in the list of idle ones (or being moved, under the scheduler's lock)
  kRunning,   ///< a worker owns it and all its fields
  kBlocking,  ///< its worker is inside `blocking`; whoever changes this to kIdle may take it
  kRetired,   ///< beyond the number set; nobody has it
};

struct alignas(64) Processor {
  // The owner's.
  std::atomic<uint32_t> tick{0};  ///< goroutines chosen; others watch it
  uint32_t wakes_to_skip = 0;     ///< see wake_for_next
  uint32_t free_count = 0;
  bool global_first = false;  ///< what the last fair choice began with
  Goroutine* free = nullptr;  ///< goroutines without work, with stacks
  uint64_t next_id = 0;       ///< numbers left for new goroutines: up to id_limit
  uint64_t id_limit = 0;
  uint64_t random = 0;
  heap::MCache* cache = nullptr;  ///< bound to the thread of the owner
  /// Goroutines begun less those ended, here: a figure for others.
  std::atomic<int64_t> balance{0};
  Solitude solitude;

  /// Runs before all of the queue. Others may take it, later than the queue's.
  alignas(64) std::atomic<Goroutine*> next{nullptr};
  std::atomic<ProcessorState> state{ProcessorState::kRetired};
  std::atomic<bool> retiring{false};  ///< the owner is to give it up

  RunQueue queue;
  TimerHeap timers;

  uint32_t index = 0;
  Processor* next_idle = nullptr;  ///< under the scheduler's lock

  [[nodiscard]] bool has_work() const {
    // Seq_cst: see sched.h, "No wake-up is lost".
    return queue.size() != 0 || next.load(std::memory_order_seq_cst) != nullptr;
  }

  /// Bits for choices that need no more than that (xorshift). Owner only.
  uint64_t draw() {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
  }
};

}  // namespace burrow::sched
