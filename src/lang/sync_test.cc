// What sync.h promises.
#include "burrow/sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <vector>

#include "burrow/chan.h"
#include "lang/test_strands.h"

namespace burrow {
namespace {

class SyncTest : public ::testing::TestWithParam<StrandKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, SyncTest,
                         ::testing::Values(StrandKind::kGoroutines, StrandKind::kThreads,
                                           StrandKind::kMixed),
                         [](const auto& one) { return strand_kind_name(one.param); });

constinit Mutex g_mutex;  // as a global it needs no constructor to run
constinit RWMutex g_rw_mutex;
constinit WaitGroup g_wait_group;
constinit Once g_once;
constinit Cond g_cond;

TEST_P(SyncTest, MutexExcludes) {
  Strands strands(GetParam());
  int64_t counter = 0;  // not atomic: the mutex guards it
  for (int s = 0; s < 4; ++s) {
    strands.start([&] {
      for (int i = 0; i < 20000; ++i) {
        std::lock_guard<Mutex> guard(g_mutex);
        ++counter;
      }
    });
  }
  strands.join();
  EXPECT_EQ(counter, 80000);
}

// Held over waits: those who want it meanwhile park, and starve into the hand-over.
TEST_P(SyncTest, MutexIsHeldOverWaits) {
  Strands strands(GetParam());
  Mutex mutex;
  int inside = 0;
  for (int s = 0; s < 6; ++s) {
    strands.start([&] {
      for (int i = 0; i < 200; ++i) {
        std::unique_lock<Mutex> lock(mutex);
        ASSERT_EQ(inside++, 0);
        yield();
        if (i % 50 == 0) {
          sleep_for(std::chrono::microseconds(1500));  // long enough for starvation
        }
        ASSERT_EQ(--inside, 0);
        lock.unlock();
        if (i % 3 == 0) {
          yield();
        }
      }
    });
  }
  strands.join();
}

TEST(Mutex, TryLock) {
  Mutex mutex;
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  std::unique_lock<Mutex> lock(mutex, std::try_to_lock);
  EXPECT_TRUE(lock.owns_lock());
}

TEST(Mutex, AnotherMayUnlock) {
  Mutex mutex;
  mutex.lock();
  Strands strands(StrandKind::kMixed);
  strands.start([&] { mutex.unlock(); });
  mutex.lock();
  mutex.unlock();
}

// Who gets a lock may destroy it, while the one that gave it is still on its way out of unlock.
TEST_P(SyncTest, MutexMayBeDestroyedByTheNext) {
  for (int turn = 0; turn < 300; ++turn) {
    auto* mutex = new Mutex;
    mutex->lock();
    Strands strands(GetParam());
    strands.start([mutex] {
      mutex->lock();
      mutex->unlock();
      delete mutex;
    });
    if (turn % 2 == 0) {
      yield();
    }
    mutex->unlock();
  }
}

TEST_P(SyncTest, RWMutexKeepsWritersApart) {
  Strands strands(GetParam());
  int64_t a = 0;
  int64_t b = 0;
  for (int s = 0; s < 2; ++s) {
    strands.start([&] {
      for (int i = 0; i < 3000; ++i) {
        std::unique_lock<RWMutex> lock(g_rw_mutex);
        ++a;
        ++b;
      }
    });
    for (int r = 0; r < 2; ++r) {
      strands.start([&] {
        for (int i = 0; i < 3000; ++i) {
          std::shared_lock<RWMutex> lock(g_rw_mutex);
          ASSERT_EQ(a, b);
          if (i % 100 == 0) {
            yield();
          }
        }
      });
    }
  }
  strands.join();
  EXPECT_EQ(a, 6000);
}

TEST(RWMutex, Tries) {
  RWMutex mutex;
  EXPECT_TRUE(mutex.try_lock_shared());
  EXPECT_TRUE(mutex.try_lock_shared());
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock_shared();
  mutex.unlock_shared();
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock_shared());
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  mutex.lock_shared();
  mutex.unlock_shared();
}

TEST_P(SyncTest, WaitGroupWaitsForAll) {
  Strands strands(GetParam());
  for (int turn = 0; turn < 50; ++turn) {
    std::atomic<int> done{0};
    WaitGroup group;
    group.add(8);
    for (int s = 0; s < 8; ++s) {
      strands.start([&] {
        done.fetch_add(1, std::memory_order_relaxed);
        group.done();
      });
    }
    group.wait();
    EXPECT_EQ(done.load(), 8);
    strands.join();
  }
}

TEST_P(SyncTest, WaitGroupLetsSeveralWait) {
  WaitGroup group;
  std::atomic<int> through{0};
  group.add(1);
  Strands strands(GetParam());
  for (int s = 0; s < 6; ++s) {
    strands.start([&] {
      group.wait();
      through.fetch_add(1);
    });
  }
  yield();
  EXPECT_EQ(through.load(), 0);
  group.done();
  strands.join();
  EXPECT_EQ(through.load(), 6);
  group.wait();
}

// The one that waits may destroy the group while the last `done` is on its way out.
TEST_P(SyncTest, WaitGroupMayBeDestroyedAfterWait) {
  Strands strands(GetParam());
  for (int turn = 0; turn < 300; ++turn) {
    auto group = std::make_unique<WaitGroup>();
    group->add(1);
    strands.start([g = group.get()] { g->done(); });
    group->wait();
    group.reset();
  }
}

TEST(WaitGroup, RunsGoroutines) {
  std::atomic<int> sum{0};
  for (int i = 1; i <= 100; ++i) {
    g_wait_group.go([&sum, n = std::make_unique<int>(i)] { sum.fetch_add(*n); });
  }
  g_wait_group.wait();
  EXPECT_EQ(sum.load(), 5050);
}

TEST_P(SyncTest, OnceRunsOnceAndOthersWaitForIt) {
  Once once;
  int ready = 0;  // not atomic: `call` orders it
  Strands strands(GetParam());
  for (int s = 0; s < 6; ++s) {
    strands.start([&] {
      once.call([&] {
        yield();
        ++ready;
      });
      EXPECT_EQ(ready, 1);
    });
  }
}

TEST(Once, ExceptionLeavesItUndone) {
  EXPECT_THROW(g_once.call([] { throw std::runtime_error("not yet"); }), std::runtime_error);
  int calls = 0;
  g_once.call([&] { ++calls; });
  g_once.call([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST_P(SyncTest, CondPassesTurns) {
  constexpr int kStrands = 4;
  constexpr int kTurns = 200;
  Mutex mutex;
  int turn = 0;
  Strands strands(GetParam());
  for (int s = 0; s < kStrands; ++s) {
    strands.start([&, s] {
      for (int i = 0; i < kTurns; ++i) {
        std::unique_lock<Mutex> lock(mutex);
        g_cond.wait(lock, [&] { return turn % kStrands == s; });
        ++turn;
        g_cond.broadcast();
      }
    });
  }
  strands.join();
  EXPECT_EQ(turn, kStrands * kTurns);
}

// Each signal lets exactly one go on.
TEST_P(SyncTest, CondSignalsOneByOne) {
  Mutex mutex;
  Cond cond;
  int waiting = 0;
  std::atomic<int> through{0};
  Strands strands(GetParam());
  for (int s = 0; s < 5; ++s) {
    strands.start([&] {
      std::unique_lock<Mutex> lock(mutex);
      ++waiting;
      cond.wait(lock);
      through.fetch_add(1);
    });
  }
  for (int expected = 1; expected <= 5;) {
    {
      std::lock_guard<Mutex> guard(mutex);
      if (waiting < 5) {
        continue;
      }
    }
    cond.signal();
    while (through.load() < expected) {
      yield();
    }
    for (int i = 0; i < 10; ++i) {
      yield();
    }
    EXPECT_EQ(through.load(), expected);
    ++expected;
  }
}

}  // namespace
}  // namespace burrow
