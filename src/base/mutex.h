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
  kSpecials,          ///< gc: what is to happen when objects are unreachable
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
    if (BURROW_UNLIKELY(!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                                        std::memory_order_relaxed))) {
      lock_slow();
    }
  }

  [[nodiscard]] bool try_lock() BURROW_TRY_ACQUIRE(true);

  void unlock() BURROW_RELEASE() {
    note_release();
    // Release: pairs with the acquires in lock, lock_slow and try_lock.
    if (BURROW_UNLIKELY(state_.exchange(kFree, std::memory_order_release) == kContended)) {
      futex_wake_one(state_);
    }
    end_brief();
  }

  /// As lock, outside the order of ranks: only for fork, which takes every lock there is.
  void lock_for_fork() BURROW_ACQUIRE();
  void unlock_after_fork() BURROW_RELEASE();

  /// Makes the lock free whatever its state: only for the child of a fork, where the owner is
  /// gone and no other thread exists.
  void reset_after_fork() BURROW_NO_THREAD_SAFETY_ANALYSIS;

 private:
  enum State : uint32_t { kFree = 0, kHeld = 1, kContended = 2 };

  void lock_slow();

  void begin_brief() const {
    if (rank_ >= kFirstBrief) {
      begin_hold();
    }
  }

  void end_brief() const {
    if (rank_ >= kFirstBrief) {
      end_hold();
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
