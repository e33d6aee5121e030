// A goroutine: Go's g. It lies at the upper end of its own stack. See sched.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/arch.h"
#include "os/fibers.h"
#include "sched/park.h"

namespace burrow::sched {

/// Who may touch what. Changed by the functions named only.
enum class GoroutineState : uint32_t {
  kDead = 0,  ///< no work; in a cache of free goroutines, which owns all of it
  kRunnable,  ///< in one run queue (or about to be): whoever takes it out owns it
  kRunning,   ///< its worker owns it
  kWaiting,   ///< parked: whoever has it in a queue may call `ready`, once
  kHeld,      ///< parked, and its stack is being trimmed by the one who changed it from kWaiting
  kBlocking,  ///< inside `blocking`: its worker owns it and runs as a plain thread
};

/// What the C++ runtime keeps of exceptions in flight for each thread (__cxa_eh_globals): a
/// goroutine that parks inside a catch block takes it along.
struct ExceptionGlobals {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  [[nodiscard]] bool any() const { return caught != nullptr || uncaught != 0; }
};

struct alignas(64) Goroutine {
  arch::Context context;      ///< while it does not run
  Goroutine* next = nullptr;  ///< in the queue or list that it is in
  std::atomic<GoroutineState> state{GoroutineState::kDead};
  std::atomic<WaitReason> wait_reason{WaitReason::kNone};
  int saved_errno = 0;          ///< while it does not run, as the next
  ExceptionGlobals exceptions;  ///< the same; the thread's are nothing meanwhile
  /// Times it was switched to. Others read it before and after they look at its stack.
  std::atomic<uint32_t> runs{0};
  // `runs` when trim_idle_stacks last saw it parked, and when it was last trimmed.
  std::atomic<uint32_t> seen_parked{0};
  std::atomic<uint32_t> trimmed{0};
  uint32_t slot = 0;                ///< index of its stack
  void (*invoke)(void*) = nullptr;  ///< what it runs, and on what
  void* closure = nullptr;
  char* stack_low = nullptr;  ///< first usable byte of its stack
  std::atomic<uint64_t> id{0};
  uint64_t creator_id = 0;   ///< 0: a plain thread
  uintptr_t creator_pc = 0;  ///< return address of the call of `go`
  [[no_unique_address]] os::Fiber fiber;

  /// Its own stack holds the address. One that runs on a stack that the program made (a
  /// coroutine's) may also park there.
  [[nodiscard]] bool on_stack(const void* address) const {
    auto at = reinterpret_cast<uintptr_t>(address);
    return at >= reinterpret_cast<uintptr_t>(stack_low) && at < reinterpret_cast<uintptr_t>(this);
  }
};

/// A list of goroutines through `next`, first in, first out.
struct GoroutineList {
  Goroutine* first = nullptr;
  Goroutine* last = nullptr;
  size_t count = 0;

  [[nodiscard]] bool empty() const { return first == nullptr; }

  void push(Goroutine* g) {
    g->next = nullptr;
    (last != nullptr ? last->next : first) = g;
    last = g;
    ++count;
  }

  Goroutine* pop() {
    Goroutine* g = first;
    if (g != nullptr) {
      first = g->next;
      last = first == nullptr ? nullptr : last;
      --count;
    }
    return g;
  }

  void append(GoroutineList& other) {
    if (!other.empty()) {
      (last != nullptr ? last->next : first) = other.first;
      last = other.last;
      count += other.count;
      other = {};
    }
  }
};

}  // namespace burrow::sched
