// The ranked mutex. See base.h, "Locks".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"
#include "base/futex.h"
#include "base/hold.h"

namespace burrow {

/// The order in which locks may be taken: a thread that holds a lock may take only locks of a
/// strictly higher rank. Checked at run time in debug builds.
enum class LockRank : uint8_t {
  kSchedStart = 0,    ///< sched: its start, changes of the number of processors
  kStart,             ///< heap: the very first call
  kDebugServer,       ///< debug: starting and stopping the server
  kSchedPoll,         ///< sched: who waits for a descriptor
  kSchedTimers,       ///< sched: a processor's timers
  kSched,             ///< sched: global queue, idle processors and workers
  kSchedStacks,       ///< sched: regions of stacks, goroutines without work
  kScavenger,         ///< heap: start and end of the scavenger's thread
  kProfReaders,       ///< prof: snapshots and the symboliser
  kCycle,             ///< gc: held for the length of a collection
  kCollector,         ///< gc: the start of the collector's threads
  kCacheList,         ///< gc: the list of all caches
  kSpecials,          ///< gc: what waits for objects to be unreachable; what is due (never both)
  kCollectedCentral,  ///< gc: one per kind and class (never two at once)
  kLargeObjects,      ///< gc: the list of large objects
  kMarkPool,          ///< gc: marking work that anybody may take
  kPools,             ///< lang: the list of pools
  kPoolShard,         ///< lang: one processor's part of a pool (never two at once)
  kHardened,          ///< heap: quarantine of hardened mode
  kGuard,             ///< heap: guarded blocks of hardened mode
  kCacheRegistry,     ///< heap: the list of all MCaches
  kCentral,           ///< heap: one per size class (never two at once)
  kHeap,              ///< heap: spans and pages
  kMetadata,          ///< heap: the allocator of descriptors
  kProfBuckets,       ///< prof: bucket table
  kUnwind,            ///< prof: unwinder priming
  kLeaf,              ///< takes nothing else
};

/// Locks from this rank up are held for a moment only, and threads that the collector must wait for
/// take them: nobody is stopped who holds one or waits for one. The others may be held for long.
inline constexpr LockRank kFirstBrief = LockRank::kCacheList;

/// What fork does about the locks of a rank. Other threads are gone in the child, and what they
/// held would never be let go.
enum class OverFork : uint8_t {
  kTaken,      ///< fork waits for them (`ForkPart`), so that the child finds their data whole
  kForgotten,  ///< the child takes them as free: their data is made anew there, or is not used
};

/// Every rank has a line here; os/fork.h and the check `locks` ask for the locks of those taken.
constexpr OverFork over_fork(LockRank rank) {
  switch (rank) {
    case LockRank::kSchedPoll:
    case LockRank::kSchedTimers:
    case LockRank::kSched:
    case LockRank::kSchedStacks:  // no goroutine runs in a child
    case LockRank::kStart:        // fork begins with a ready heap
    case LockRank::kDebugServer:
    case LockRank::kScavenger:    // the thread is not there
    case LockRank::kProfReaders:  // may be held for seconds; the names are read anew
    case LockRank::kUnwind:
      return OverFork::kForgotten;
    case LockRank::kSchedStart:
    case LockRank::kCycle:
    case LockRank::kCollector:
    case LockRank::kCacheList:
    case LockRank::kSpecials:
    case LockRank::kCollectedCentral:
    case LockRank::kLargeObjects:
    case LockRank::kMarkPool:
    case LockRank::kPools:
    case LockRank::kPoolShard:
    case LockRank::kHardened:
    case LockRank::kGuard:
    case LockRank::kCacheRegistry:
    case LockRank::kCentral:
    case LockRank::kHeap:
    case LockRank::kMetadata:
    case LockRank::kProfBuckets:
    case LockRank::kLeaf:
      return OverFork::kTaken;
  }
  return OverFork::kTaken;
}

/// How many forks lie between the first process and this one. A lock's word has it, so that a lock
/// whose holder stayed behind in the parent is known for one.
extern constinit std::atomic<uint32_t> g_fork_count;

/// In the child of a fork, before any lock is taken. `whole`: fork held every lock that it takes.
void count_fork(bool whole);

/// A three-state futex mutex (Drepper, "Futexes Are Tricky", mutex 2), 8 bytes, no allocation,
/// constant-initialised. Not recursive.
class BURROW_CAPABILITY("mutex") RankedMutex {
 public:
  explicit constexpr RankedMutex(LockRank rank) : rank_(rank) {}

  RankedMutex(const RankedMutex&) = delete;
  RankedMutex& operator=(const RankedMutex&) = delete;

  void lock() BURROW_ACQUIRE() {
    note_acquire();
    begin_brief();
    uint32_t expected = kFree;
    // Acquire: pairs with the release in unlock.
    if (BURROW_UNLIKELY(!state_.compare_exchange_strong(
            expected, here(kHeld), std::memory_order_acquire, std::memory_order_relaxed))) {
      lock_slow();
    }
  }

  [[nodiscard]] bool try_lock() BURROW_TRY_ACQUIRE(true);

  void unlock() BURROW_RELEASE() {
    note_release();
    // Release: pairs with the acquires in lock, lock_slow and try_lock.
    if (BURROW_UNLIKELY(is_contended(state_.exchange(kFree, std::memory_order_release)))) {
      futex_wake_one(state_);
    }
    end_brief();
  }

  /// As lock, outside the order of ranks: only for fork, which takes all that `over_fork` names.
  void lock_for_fork() BURROW_ACQUIRE();
  [[nodiscard]] bool try_lock_for_fork() BURROW_TRY_ACQUIRE(true);
  void unlock_after_fork() BURROW_RELEASE();

  /// Makes the lock free whatever its state: only for the child of a fork, where the owner is
  /// gone and no other thread exists.
  void reset_after_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS;

  [[nodiscard]] LockRank rank() const { return rank_; }

 private:
  // In the word's lower bits; above them, unless it is free, the holder's g_fork_count.
  enum State : uint32_t { kFree = 0, kHeld = 1, kContended = 2 };

  static constexpr int kStateBits = 2;

  static uint32_t here(State state) {
    // Relaxed: it changes only where there is one thread.
    return g_fork_count.load(std::memory_order_relaxed) << kStateBits | state;
  }

  static bool is_contended(uint32_t word) { return (word & 3) == kContended; }

  static bool left_behind(uint32_t word) {
    return word != kFree && word >> kStateBits != here(kFree) >> kStateBits;
  }

  void take_over() const;

  void lock_slow();

  void begin_brief() const {
    if (rank_ >= kFirstBrief) {
      begin_hold();
    } else {
      ++t_hold.long_locks;
    }
  }

  void end_brief() const {
    if (rank_ >= kFirstBrief) {
      end_hold();
    } else {
      --t_hold.long_locks;
    }
  }

#ifdef NDEBUG
  void note_acquire() {}

  void note_release() {}
#else
  void note_acquire();
  void note_release();
#endif

  std::atomic<uint32_t> state_{kFree};
  LockRank rank_;
};

/// Holds a mutex for a scope.
class BURROW_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(RankedMutex& mutex) BURROW_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }

  ~MutexLock() BURROW_RELEASE() { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  RankedMutex& mutex_;
};

// Inside the layers `Mutex` is this one. `burrow::Mutex` is the users', which parks (sync.h).
namespace debug {
using Mutex = RankedMutex;
}

namespace gc {
using Mutex = RankedMutex;
}

namespace heap {
using Mutex = RankedMutex;
}

namespace os {
using Mutex = RankedMutex;
}

namespace prof {
using Mutex = RankedMutex;
}

namespace sched {
using Mutex = RankedMutex;
}

}  // namespace burrow
