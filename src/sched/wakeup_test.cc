// No wake-up is lost, and a test that sees one when the second look is left out: sched.h, "No
// wake-up is lost". Nothing here depends on how long anything takes: a lost wake-up is a state that
// stays, as the only one who could still see the work computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "burrow/go.h"
#include "os/fibers.h"
#include "sched/scheduler.h"
#include "sched/test_processors.h"

namespace burrow::sched {
namespace {

enum class Fault { kNone, kNoLook, kOnlySpinnersLook };

// Faults and delays for a scope.
class Planted {
 public:
  explicit Planted(Fault fault) {
    SchedTestPeer::skip_recheck = fault == Fault::kNoLook;
    SchedTestPeer::only_spinners_look = fault == Fault::kOnlySpinnersLook;
    SchedTestPeer::slow_recheck = true;
    SchedTestPeer::no_rescue = true;
  }

  ~Planted() {
    SchedTestPeer::skip_recheck = SchedTestPeer::slow_recheck = SchedTestPeer::no_rescue = false;
    SchedTestPeer::only_spinners_look = false;
  }

  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

// All other workers sleep, nobody looks for work, a processor is idle, and work lies here.
bool work_is_lost(const Processor& p) {
  MutexLock hold(g_sched.lock);
  return p.queue.size() != 0 && g_sched.idle_processors != nullptr &&
         g_sched.sleeping_workers == g_sched.worker_count - 1 && g_sched.spinning.load() == 0;
}

// Work enough that it lies in the run queue and not only in the next slot, which others leave alone
// for a while. Its numbers are in `ran` when it has run.
constexpr int kBatch = 3;

void make_work(std::atomic<int>& ran) {
  for (int i = 0; i < kBatch; ++i) {
    go([&ran] { ran.fetch_add(1); });
  }
}

// True when the other worker is between giving its processor up and its second look.
bool at_the_brink() {
  return g_sched.idle_count.load() > 0 && g_sched.spinning.load() > 0;
}

// Makes work while the other worker goes to sleep, without ever yielding; true: it lay there and
// nobody came.
bool one_round() {
  Processor& here = *this_worker()->processor;
  std::atomic<int> ran{0};
  make_work(ran);  // wakes the other worker, or finds it awake
  bool lost = false;
  while (!at_the_brink() && g_sched.spinning.load() + here.queue.size() != 0 && !lost) {
    lost = work_is_lost(here);
  }
  make_work(ran);
  while (here.queue.size() != 0 && !lost) {
    lost = work_is_lost(here);
  }
  EXPECT_TRUE(eventually([&] { return ran.load() == 2 * kBatch; }));
  return lost;
}

int lost_in(int rounds, bool stop_at_first, Fault fault) {
  int lost = 0;
  run([&] {
    Planted planted(fault);  // here: else this very goroutine may be lost
    Processors two(2);
    for (int i = 0; i < rounds && !(stop_at_first && lost > 0); ++i) {
      lost += one_round() ? 1 : 0;
    }
  });
  return lost;
}

TEST(WakeUp, IsNotLostWhileAWorkerGoesToSleep) {
  EXPECT_EQ(lost_in(2000, false, Fault::kNone), 0);
}

TEST(WakeUp, WouldBeLostWithoutTheSecondLook) {
  // One in some 1,000 rounds loses one.
  EXPECT_GT(lost_in(20'000, true, Fault::kNoLook), 0);
}

TEST(WakeUp, WouldBeLostIfOnlySpinnersLooked) {
  // One in some 1,000 rounds loses one on a busy machine.
  if (os::kSanitized) {
    GTEST_SKIP() << "two workers hardly ever look for work at once then";
  }
  EXPECT_GT(lost_in(20'000, true, Fault::kOnlySpinnersLook), 0);
}

}  // namespace
}  // namespace burrow::sched
