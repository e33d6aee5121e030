// A worker: a thread that runs goroutines while it has a processor. Go's m. See sched.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "arch/arch.h"
#include "sched/goroutine.h"
#include "sched/processor.h"

namespace burrow::sched {

/// What is to be done for the goroutine that has just left its stack, by whoever runs next.
enum class AfterSwitch : uint8_t {
  kNothing,
  kPark,     ///< it waits: run its commit
  kYield,    ///< to the end of the run queue
  kRequeue,  ///< as kYield, to the global queue: the worker has no processor
  kExit,     ///< it has ended: keep it for another
};

struct Worker {
  Goroutine* current = nullptr;    ///< what runs; null on the worker's own stack and in `blocking`
  Processor* processor = nullptr;  ///< null: it may run nothing
  arch::Context context;           ///< of the worker's own stack, while a goroutine runs

  // Handed over the switch.
  AfterSwitch after = AfterSwitch::kNothing;
  Goroutine* left = nullptr;
  ParkCommit commit = nullptr;
  void* commit_argument = nullptr;

  // Of the thread: fixed addresses of what the C++ runtime and libc keep for it.
  int* errno_address = nullptr;
  ExceptionGlobals* exceptions = nullptr;
  [[no_unique_address]] os::Fiber fiber;

  bool spinning = false;         ///< counted in Scheduler::spinning
  bool fruitless = false;        ///< woken, and has found nothing since
  Goroutine* blocked = nullptr;  ///< the goroutine that is in `blocking` here
  Processor* lent = nullptr;     ///< the processor it had then
  uint32_t thread_id = 0;

  Worker* next_idle = nullptr;  ///< under the scheduler's lock
  Worker* next_of_all = nullptr;
  Processor* given = nullptr;     ///< by the one who wakes it
  std::atomic<uint32_t> wake{0};  ///< it sleeps on this while it is 0

  /// The goroutine whose code the thread executes, in `blocking` or not; null when there is none.
  [[nodiscard]] Goroutine* here() const { return current != nullptr ? current : blocked; }

  /// Answers to a request for the running stack: see quit.cc.
  std::atomic<uintptr_t> stopped_pc{0};
  uintptr_t stopped_sp = 0;
  uintptr_t stopped_frame = 0;
};

/// The calling thread's; null on plain threads. Never kept over a switch.
BURROW_ALWAYS_INLINE Worker* this_worker() {
  return static_cast<Worker*>(arch::read_worker());
}

/// That of a thread whose thread pointer is known, and which does not run meanwhile or is the
/// caller.
[[nodiscard]] inline const Worker* worker_of(uintptr_t thread_pointer) {
  return static_cast<const Worker*>(arch::read_worker_of(thread_pointer));
}

}  // namespace burrow::sched
