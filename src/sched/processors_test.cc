// Several processors: work, timers and descriptors go to those that are idle.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "burrow/go.h"
#include "sched/scheduler.h"
#include "sched/test_processors.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(ProcessorsTest, AnIdleProcessorTakesWorkFromAComputingOne) {
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

TEST(ProcessorsTest, TimersComeWhileOneComputes) {
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

TEST(ProcessorsTest, DescriptorsAreSeenWhileOneComputes) {
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

TEST(ProcessorsTest, BlockingLendsTheProcessor) {
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

TEST(ProcessorsTest, ProcessorsChangeWhileOthersRun) {
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

}  // namespace
}  // namespace burrow
