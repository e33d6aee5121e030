// fork: what each layer does around it. See os.h.
//
// What. Threads other than the one that forks are gone in the child, perhaps in the middle of
// something. So fork waits until nobody is: it takes every lock that `over_fork` names, and both
// sides let them go again. A layer hands in one `ForkPart` for each rank that it uses; nobody else
// calls pthread_atfork.
//
// How. glibc's fork runs the handlers of pthread_atfork, the newest first, and takes its list of
// FILEs after them; threads that hold a handler's lock, or a FILE's, may wait for memory. So:
//  1. Burrow's handler is the last that runs before the fork, and the first after it: it is handed
//     in before any other (`install_fork_handler`, called by every pthread_atfork).
//  2. The list of FILEs comes before the locks of the heap: it is taken here, and taken once more
//     by glibc, for it counts.
//  3. Locks that are held for long (below `kFirstBrief`) are only tried while others wait for the
//     list. When one is not free, all is let go, and fork waits for that one alone.
//  4. The others are taken in the order of ranks.
//  5. Signals wait from 2 on, but the one that stops threads: a handler that forks would find the
//     locks taken. One of a fault may come all the same, so depth is counted.
//
// A signal handler that interrupted Burrow itself may hold a lock: a fork from there takes nothing.
// Its child should execute a program or end, as POSIX has it.
//
// Without handlers: vfork, posix_spawn, popen and system, whose child runs in the parent's memory
// while the caller waits; nothing is to be done. clone and _Fork, whose child may call what a
// signal handler may, as with glibc.
//
// Rejected.
//  - A handler of its own for each layer: their order is that of the first use of each.
//  - fork replaced by a function of ours: glibc's daemon and forkpty call theirs.
//  - No lock at all, and repair in the child: a span half out of a list cannot be told from one
//  that
//    is in it.
#pragma once

#include <optional>

#include "base/mutex.h"

namespace burrow::os {

/// What is done about one rank. All pointers may be null; all live for ever.
struct ForkPart {
  LockRank rank;
  /// Calls `visit` with each lock of the rank.
  void (*each_lock)(void (*visit)(RankedMutex& lock)) = nullptr;
  /// Before any lock is taken: what must not happen under them.
  void (*ready)() = nullptr;
  /// True when the calling thread is a signal handler that interrupted this layer.
  bool (*inside)() = nullptr;
  /// With all locks taken; and when they are free again, on both sides.
  void (*taken)() = nullptr;
  void (*freed)() = nullptr;
  /// In the child, with all locks free, in the order of ranks.
  void (*child)() = nullptr;

  // The rest is os's own.
  ForkPart* next = nullptr;
  bool held = false;  ///< by a fork that is underway; guarded by the locks themselves
};

/// Adds a part. From a constructor, once each.
void add_fork_part(ForkPart& part);

/// Hands Burrow's handler to the C library, at the first call.
void install_fork_handler();

/// A fault that tests plant: fork leaves the locks of one rank out.
struct ForkFaults {
  std::optional<LockRank> left_out;
};

inline constinit ForkFaults g_fork_faults;

}  // namespace burrow::os
