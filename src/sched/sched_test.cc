// Goroutines run, wait, wake each other, and use several processors.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "burrow/go.h"
#include "burrow/stack.h"
#include "sched/scheduler.h"
#include "sched/start.h"
#include "sched/waiter.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Waits on a goroutine or a plain thread until `done`, for tests that cannot use channels.
template <typename F>
bool eventually(F done) {
  auto end = steady_clock::now() + seconds(60);
  while (!done()) {
    if (steady_clock::now() > end) {
      return false;
    }
    yield();
  }
  return true;
}

class Processors {
 public:
  explicit Processors(int count) : former_(set_processors(count)) {}

  ~Processors() { set_processors(former_); }

  Processors(const Processors&) = delete;
  Processors& operator=(const Processors&) = delete;

 private:
  int former_;
};

TEST(Sched, RunGivesMainsResult) {
  EXPECT_EQ(run([] { return 42; }), 42);
  EXPECT_EQ(run([] {}), 0);
  EXPECT_EQ(run([] { return run([] { return 7; }); }), 7);
  EXPECT_EQ(sched::current(), nullptr);
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
  if (sched::g_stress.load()) {
    GTEST_SKIP() << "the order is random";
  }
  run([] {
    Processors one(1);
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
    for (size_t round = 0; round < 3; ++round) {
      std::array<int, 3> count{};
      for (size_t i = 0; i < 3; ++i) {
        ++count[static_cast<size_t>(order[round * 3 + i])];
      }
      EXPECT_EQ(count, (std::array<int, 3>{1, 1, 1}));
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

// --- several processors -----------------------------------------------------------------------

TEST(Sched, AnIdleProcessorTakesWorkFromAComputingOne) {
  Processors two(2);
  run([] {
    for (int i = 0; i < 200; ++i) {
      std::atomic<bool> ran{false};
      go([&] { ran.store(true); });
      auto end = steady_clock::now() + seconds(60);
      // Never yields: only another worker can run the other one.
      while (!ran.load() && steady_clock::now() < end) {
      }
      ASSERT_TRUE(ran.load()) << "round " << i;
    }
  });
}

TEST(Sched, TimersComeWhileOneComputes) {
  Processors two(2);
  run([] {
    std::atomic<int> woken{0};
    std::atomic<bool> stop{false};
    for (int i = 0; i < 5; ++i) {
      go([&] {
        for (int k = 0; k < 5; ++k) {
          sleep_for(milliseconds(2));
        }
        woken.fetch_add(1);
      });
    }
    auto end = steady_clock::now() + seconds(60);
    while (woken.load() < 5 && steady_clock::now() < end) {
    }
    stop.store(true);
    EXPECT_EQ(woken.load(), 5);
  });
}

TEST(Sched, DescriptorsAreSeenWhileOneComputes) {
  Processors two(2);
  run([] {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    std::atomic<int> rounds{0};
    go([&] {
      for (int i = 0; i < 20; ++i) {
        char c = 0;
        while (read(ends[0], &c, 1) < 0) {
          ASSERT_TRUE(wait_readable(ends[0]));
        }
        rounds.fetch_add(1);
      }
    });
    auto end = steady_clock::now() + seconds(60);
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(write(ends[1], "x", 1), 1);
      while (rounds.load() <= i && steady_clock::now() < end) {
      }
    }
    EXPECT_EQ(rounds.load(), 20);
    close(ends[0]);
    close(ends[1]);
  });
}

TEST(Sched, BlockingLendsTheProcessor) {
  Processors one(1);
  run([] {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    std::atomic<bool> ran{false};
    go([&] {
      ran.store(true);
      EXPECT_EQ(write(ends[1], "x", 1), 1);
    });
    // On one processor the other can run only if this one is lent.
    char c = 0;
    ssize_t n = blocking([&] {
      EXPECT_EQ(sched::current(), nullptr);
      return read(ends[0], &c, 1);
    });
    EXPECT_EQ(n, 1);
    EXPECT_TRUE(ran.load());
    EXPECT_NE(sched::current(), nullptr);
    // One that comes while it is lent is found too.
    std::thread starter([&] {
      std::this_thread::sleep_for(milliseconds(20));
      go([&] { EXPECT_EQ(write(ends[1], "y", 1), 1); });
    });
    n = blocking([&] { return read(ends[0], &c, 1); });
    EXPECT_EQ(n, 1);
    blocking([&] { starter.join(); });
    EXPECT_THROW(blocking([] { throw 5; }), int);
    EXPECT_NE(sched::current(), nullptr);
    close(ends[0]);
    close(ends[1]);
  });
}

TEST(Sched, ProcessorsChangeWhileOthersRun) {
  int former = set_processors(0);
  run([] {
    std::atomic<bool> stop{false};
    std::atomic<int> ended{0};
    std::atomic<uint64_t> turns{0};
    for (int i = 0; i < 8; ++i) {
      go([&] {
        while (!stop.load()) {
          turns.fetch_add(1);
          yield();
        }
        ended.fetch_add(1);
      });
    }
    for (int i = 0; i < 60; ++i) {
      int count = 1 + i % 5;
      set_processors(count);
      EXPECT_EQ(set_processors(0), count);
      uint64_t seen = turns.load();
      EXPECT_TRUE(eventually([&] { return turns.load() > seen + 100; }));
    }
    stop.store(true);
    EXPECT_TRUE(eventually([&] { return ended.load() == 8; }));
  });
  set_processors(former);
}

// --- parking ----------------------------------------------------------------------------------

struct Parked {
  std::atomic<sched::Goroutine*> goroutine{nullptr};
};

bool publish(void* raw) {
  auto* where = static_cast<std::pair<Parked*, sched::Goroutine*>*>(raw);
  where->first->goroutine.store(where->second);
  return true;
}

void park_in(Parked& place) {
  std::pair<Parked*, sched::Goroutine*> where{&place, sched::current()};
  sched::park(sched::WaitReason::kChanRecv, publish, &where);
}

TEST(Park, ReadyFromAnywhereEndsIt) {
  Processors two(2);
  run([] {
    Parked place;
    std::atomic<int> turns{0};
    go([&] {
      for (int i = 0; i < 300; ++i) {
        park_in(place);
        turns.fetch_add(1);
      }
    });
    auto take = [&] {
      sched::Goroutine* g = nullptr;
      EXPECT_TRUE(eventually([&] { return (g = place.goroutine.exchange(nullptr)) != nullptr; }));
      return g;
    };
    for (int i = 0; i < 100; ++i) {
      sched::ready(take());
    }
    for (int i = 0; i < 100; ++i) {
      sched::ready_last(take());
    }
    std::thread other([&] {
      for (int i = 0; i < 100; ++i) {
        sched::ready(take());
      }
    });
    blocking([&] { other.join(); });
    EXPECT_TRUE(eventually([&] { return turns.load() == 300; }));
  });
}

TEST(Park, CommitThatRefusesGoesOn) {
  run([] {
    int calls = 0;
    sched::park(
        sched::WaitReason::kSelect,
        [](void* raw) {
          ++*static_cast<int*>(raw);
          return false;
        },
        &calls);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Park, ReadyBeforeTheParkCounts) {
  run([] {
    sched::ready(sched::current());
    sched::park(sched::WaitReason::kChanRecv, nullptr, nullptr);
  });
}

TEST(Park, AWaiterOnAPlainThreadSleepsUntilItIsWoken) {
  sched::Waiter waiter;
  EXPECT_EQ(waiter.goroutine(), nullptr);
  for (int i = 0; i < 100; ++i) {
    waiter.wait(
        sched::WaitReason::kChanRecv,
        [](void* raw) {
          go([raw] { static_cast<sched::Waiter*>(raw)->wake(); });
          return true;
        },
        &waiter);
  }
}

}  // namespace
}  // namespace burrow
