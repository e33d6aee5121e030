// The mutex: exclusion, waiting, the order of ranks in debug builds. See mutex.h.
#include "base/mutex.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/futex.h"

namespace burrow {
namespace {

TEST(Mutex, OneThreadAtATime) {
  RankedMutex mutex(LockRank::kLeaf);
  int64_t count = 0;  // plain: the lock is all that orders it
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        MutexLock hold(mutex);
        ++count;
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  EXPECT_EQ(count, 80000);
}

bool is_free(RankedMutex& mutex) {
  if (mutex.try_lock()) {
    mutex.unlock();
    return true;
  }
  return false;
}

TEST(Mutex, TryLockTellsWhetherItWasFree) {
  RankedMutex mutex(LockRank::kLeaf);
  EXPECT_TRUE(is_free(mutex));
  {
    MutexLock hold(mutex);
    std::thread([&] { EXPECT_FALSE(is_free(mutex)); }).join();
  }
  EXPECT_TRUE(is_free(mutex));
}

void take_for_fork(RankedMutex& mutex) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  mutex.lock_for_fork();
}

void let_go_after_fork(RankedMutex& mutex) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  mutex.unlock_after_fork();
}

TEST(Mutex, ForkTakesAndResetsItOutsideTheOrder) {
  RankedMutex high(LockRank::kLeaf);
  RankedMutex low(LockRank::kHeap);
  take_for_fork(high);
  take_for_fork(low);
  let_go_after_fork(low);
  high.reset_after_fork();
  MutexLock hold(high);
}

TEST(Futex, WaitReturnsWhenTheWordHasChangedAlready) {
  std::atomic<uint32_t> word{1};
  errno = 4711;
  futex_wait(word, 0);
  futex_wake_one(word);
  EXPECT_EQ(errno, 4711);
}

TEST(Futex, WakeEndsAWait) {
  std::atomic<uint32_t> word{0};
  std::thread sleeper([&] {
    while (word.load(std::memory_order_acquire) == 0) {
      futex_wait(word, 0);
    }
  });
  word.store(1, std::memory_order_release);
  futex_wake_one(word);
  sleeper.join();
}

#ifndef NDEBUG
TEST(MutexDeathTest, TheOrderOfRanksIsChecked) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  RankedMutex low(LockRank::kHeap);
  RankedMutex high(LockRank::kMetadata);
  RankedMutex same(LockRank::kHeap);
  {
    MutexLock first(low);
    MutexLock second(high);
  }
  EXPECT_DEATH(
      {
        MutexLock first(high);
        MutexLock second(low);
      },
      "lock order: rank .* taken while holding");
  EXPECT_DEATH(
      {
        MutexLock first(low);
        MutexLock second(same);
      },
      "lock order");
}
#endif

TEST(CheckDeathTest, AFailureIsOneLineAndAnAbort) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(CHECK(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "^burrow: fatal: .*mutex_test.cc:[0-9]+: CHECK failed: 1 \\+ 1 == 3\n$");
  EXPECT_EXIT(fatal("a number ", 5, " and ", Hex(uint64_t{16})), testing::KilledBySignal(SIGABRT),
              "^burrow: fatal: a number 5 and 0x10\n$");
}

}  // namespace
}  // namespace burrow
