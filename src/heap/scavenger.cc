// The scavenger's thread. See scavenger.h.
//
// It allocates nothing and has no cache. Whoever frees wakes it when more is idle than should be;
// nobody is lost, since both look under the heap's lock: it says that it sleeps before it looks for
// the last time.
#include "heap/scavenger.h"

#include "base/errno_scope.h"
#include "base/futex.h"
#include "base/mutex.h"
#include "heap/give_way.h"
#include "heap/mcentral.h"
#include "heap/mheap.h"
#include "heap/recent_runs.h"
#include "os/os.h"
#include "os/thread.h"

namespace burrow::heap {

constinit std::atomic<uint32_t> g_scavenger{kNoScavenger};

namespace {

constexpr size_t kStackBytes = 64 * kKiB;
constexpr int64_t kBetweenLooksNs = 1'000'000'000;
constexpr int kLooks = 2;

// Held while the thread is started, and to end it.
constinit Mutex g_lock{LockRank::kScavenger};
constinit uint64_t g_thread BURROW_GUARDED_BY(g_lock) = 0;

bool change(uint32_t from, uint32_t to) {
  return g_scavenger.compare_exchange_strong(from, to, std::memory_order_acq_rel,
                                             std::memory_order_acquire);
}

// Depots without a trade between two looks go home, and may leave spans empty; so do runs
// of caches that kept none meanwhile.
void look_at_depots() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    central_of(SizeClass(i)).age(SIZE_MAX);
  }
  drop_recent_runs(true);
}

// Until somebody frees much, or for ever when that never happens.
void sleep_until_woken() {
  if (!change(kScavengerWorks, kScavengerSleeps)) {
    return;
  }
  if (g_mheap.scavenge_step() > 0) {
    (void)change(kScavengerSleeps, kScavengerWorks);
    return;
  }
  while (g_scavenger.load(std::memory_order_acquire) == kScavengerSleeps) {
    futex_wait(g_scavenger, kScavengerSleeps);
  }
}

void run() {
  int looks = kLooks;
  while (g_scavenger.load(std::memory_order_acquire) != kScavengerEnds) {
    if (int64_t wait = g_mheap.scavenge_step(); wait > 0) {
      looks = 0;
      futex_wait_for(g_scavenger, kScavengerWorks, wait);
    } else if (looks < kLooks) {
      ++looks;
      look_at_depots();
      futex_wait_for(g_scavenger, kScavengerWorks, kBetweenLooksNs);
    } else {
      sleep_until_woken();
      looks = 0;
    }
  }
}

}  // namespace

void start_scavenger() {
  ErrnoScope keep_errno;
  if (g_gave_way || g_scavenger.load(std::memory_order_relaxed) != kNoScavenger ||
      os::debug_option("scavenger") == "0" || !change(kNoScavenger, kScavengerWorks)) {
    return;
  }
  MutexLock hold(g_lock);
  if (std::optional<uint64_t> thread =
          os::start_joinable_thread("burrow-scavenge", run, kStackBytes);
      thread) {
    g_thread = *thread;
  } else {
    (void)change(kScavengerWorks, kNoScavenger);
  }
}

void end_scavenger() {
  g_scavenger.store(kScavengerEnds, std::memory_order_release);
  futex_wake_one(g_scavenger);
  MutexLock hold(g_lock);
  if (g_thread != 0) {
    os::join_thread(g_thread);
    g_thread = 0;
  }
}

void forget_scavenger() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  g_lock.reset_after_fork();
  g_thread = 0;
  // Relaxed: there is no other thread. A process whose first thread had ended starts anew.
  g_scavenger.store(kNoScavenger, std::memory_order_relaxed);
}

void wake_scavenger() {
  if (g_scavenger.load(std::memory_order_acquire) == kScavengerSleeps &&
      change(kScavengerSleeps, kScavengerWorks)) {
    futex_wake_one(g_scavenger);
  }
}

}  // namespace burrow::heap
