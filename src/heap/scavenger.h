// The scavenger's thread: a process that falls idle gives memory back. See mheap.h, "Scavenger".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::heap {

/// Starts the thread, once in a process, unless BURROW_DEBUG=scavenger=0 or the first thread has
/// ended. Keeps errno. REQUIRES: the caller may create threads: not from inside malloc.
void start_scavenger();

/// Ends the thread for good and waits for it: the first thread ends, and the process should when
/// the program's last thread does (on whose stack the handlers of exit then run).
void end_scavenger();

/// In the child of a fork: there is no thread, and one may be started.
void forget_scavenger();

/// What the thread is doing, and the word it sleeps on.
enum ScavengerWord : uint32_t {
  kNoScavenger,      ///< not started (or the system refused)
  kScavengerWorks,   ///< at work, or between two steps
  kScavengerSleeps,  ///< until `wake_scavenger`
  kScavengerEnds,    ///< for good
};

BURROW_HIDDEN extern constinit std::atomic<uint32_t> g_scavenger;

inline bool scavenger_runs() {
  // Relaxed: a step more or less by somebody else does no harm.
  uint32_t word = g_scavenger.load(std::memory_order_relaxed);
  return word == kScavengerWorks || word == kScavengerSleeps;
}

/// Wakes the thread if it sleeps.
void wake_scavenger();

/// Wakes the thread at the end of a scope; declared before the heap's lock is taken, so that this
/// is after it was let go.
struct ScavengerWake {
  bool wanted = false;

  ScavengerWake() = default;

  ~ScavengerWake() {
    if (BURROW_UNLIKELY(wanted)) {
      wake_scavenger();
    }
  }

  ScavengerWake(const ScavengerWake&) = delete;
  ScavengerWake& operator=(const ScavengerWake&) = delete;
};

}  // namespace burrow::heap
