// Goroutines run, end, are counted, and take along what is theirs.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "burrow/go.h"
#include "sched/scheduler.h"
#include "sched/start.h"
#include "sched/test_processors.h"
#include "sched/waiter.h"

namespace burrow {
namespace {

TEST(Sched, RunGivesMainsResult) {
  EXPECT_EQ(run([] { return 42; }), 42);
  EXPECT_EQ(run([] {}), 0);
  EXPECT_EQ(run([] { return run([] { return 7; }); }), 7);
  EXPECT_EQ(sched::current(), nullptr);
}

bool all_workers_sleep() {
  MutexLock hold(sched::g_sched.lock);
  return sched::g_sched.worker_count > 0 &&
         sched::g_sched.sleeping_workers == sched::g_sched.worker_count;
}

// A thread that is about to wait counts as waiting, and may yet start what will wake it.
TEST(Sched, AThreadBeforeItsCommitIsNoDeadlock) {
  run([] {});  // leaves workers, who fall asleep
  sched::begin_run();
  sched::Waiter waiter;
  waiter.wait(
      sched::WaitReason::kNone,
      [](void* raw) {
        EXPECT_TRUE(eventually(all_workers_sleep));
        sched::check_deadlock();
        go([raw] {
          sched::end_run();
          static_cast<sched::Waiter*>(raw)->wake();
        });
        return true;
      },
      &waiter);
}

TEST(Sched, GoPassesCopiesAndMoves) {
  run([] {
    std::atomic<int> done{0};
    std::string text(100, 'x');
    auto owned = std::make_unique<int>(5);
    int seen = 0;
    size_t length = 0;
    go(
        [&](std::unique_ptr<int> p, const std::string& s, int& target) {
          seen = *p;
          length = s.size();
          target = 9;
          done.store(1);
        },
        std::move(owned), text, std::ref(seen));
    EXPECT_TRUE(eventually([&] { return done.load() == 1; }));
    EXPECT_EQ(seen, 9);
    EXPECT_EQ(length, 100U);
    EXPECT_EQ(text.size(), 100U);
  });
}

TEST(Sched, LargeClosuresAreFine) {
  run([] {
    std::array<char, 5000> large{};
    large[4999] = 'z';
    std::atomic<char> seen{0};
    go([large, &seen] { seen.store(large[4999]); });
    EXPECT_TRUE(eventually([&] { return seen.load() == 'z'; }));
  });
}

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;

  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::string("no copies"); }

  void operator()() const {}
};

TEST(Sched, GoWhoseArgumentThrowsStartsNothing) {
  run([] {
    EXPECT_TRUE(eventually([] { return num_goroutine() == 1; }));
    ThrowsWhenCopied f;
    EXPECT_THROW(go(f), std::string);
    EXPECT_EQ(num_goroutine(), 1U);
  });
}

TEST(Sched, ManyGoroutinesEndAndAreCounted) {
  run([] {
    // Those of other tests may be at their very end.
    EXPECT_TRUE(eventually([] { return num_goroutine() == 1; }));
    std::atomic<int> done{0};
    for (int i = 0; i < 10'000; ++i) {
      go([&] {
        yield();
        done.fetch_add(1);
      });
    }
    EXPECT_TRUE(eventually([&] { return done.load() == 10'000 && num_goroutine() == 1; }));
  });
}

TEST(Sched, GoFromPlainThreads) {
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        go([&] { done.fetch_add(1); });
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  EXPECT_TRUE(eventually([&] { return done.load() == 4000; }));
}

TEST(Sched, YieldLetsTheOtherRun) {
  run([] {
    Processors one(1);
    // Others would make the order theirs.
    EXPECT_TRUE(eventually([] {
      for (size_t i = 1; i < sched::kMaxProcessors; ++i) {
        if (sched::g_sched.processors[i].state.load() != sched::ProcessorState::kRetired) {
          return false;
        }
      }
      return num_goroutine() == 1;
    }));
    std::vector<int> order;
    std::atomic<int> done{0};
    for (int g = 0; g < 3; ++g) {
      go([&, g] {
        for (int i = 0; i < 3; ++i) {
          order.push_back(g);
          yield();
        }
        done.fetch_add(1);
      });
    }
    EXPECT_TRUE(eventually([&] { return done.load() == 3; }));
    ASSERT_EQ(order.size(), 9U);
    // In turn; under BURROW_DEBUG=schedstress=1, which disorders the queue, only all in all.
    size_t rounds = sched::g_stress.load() ? 1 : 3;
    for (size_t round = 0; round < rounds; ++round) {
      std::array<size_t, 3> count{};
      for (size_t i = 0; i < 9 / rounds; ++i) {
        ++count[static_cast<size_t>(order[round * 9 / rounds + i])];
      }
      size_t each = 3 / rounds;
      EXPECT_EQ(count, (std::array<size_t, 3>{each, each, each}));
    }
  });
}

TEST(Sched, ErrnoTravelsWithTheGoroutine) {
  Processors two(2);
  run([] {
    std::atomic<int> wrong{0};
    std::atomic<int> done{0};
    for (int g = 1; g <= 20; ++g) {
      go([&, g] {
        for (int i = 0; i < 200; ++i) {
          *sched::this_worker()->errno_address = g;
          yield();
          wrong.fetch_add(*sched::this_worker()->errno_address == g ? 0 : 1);
        }
        done.fetch_add(1);
      });
    }
    EXPECT_TRUE(eventually([&] { return done.load() == 20; }));
    EXPECT_EQ(wrong.load(), 0);
  });
}

TEST(Sched, ExceptionsInFlightTravelWithTheGoroutine) {
  Processors two(2);
  run([] {
    std::atomic<int> right{0};
    std::atomic<int> done{0};
    for (int g = 0; g < 20; ++g) {
      go([&, g] {
        for (int i = 0; i < 50; ++i) {
          try {
            throw g;
          } catch (int) {
            yield();
            try {
              throw;  // the one of this goroutine
            } catch (int caught) {
              right.fetch_add(caught == g ? 1 : 0);
            }
          }
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
        done.fetch_add(1);
      });
    }
    EXPECT_TRUE(eventually([&] { return done.load() == 20; }));
    EXPECT_EQ(right.load(), 1000);
  });
}

int throw_from(int depth) {
  volatile int here = depth;
  if (depth == 0) {
    throw std::string("from below");
  }
  int result = throw_from(depth - 1);
  return result + here;
}

TEST(Sched, ExceptionsCrossTenThousandFrames) {
  run([] {
    bool caught = false;
    try {
      throw_from(10'000);
    } catch (const std::string& s) {
      caught = s == "from below";
    }
    EXPECT_TRUE(caught);
  });
}

}  // namespace
}  // namespace burrow
