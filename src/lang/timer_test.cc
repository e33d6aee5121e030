// What timer.h promises. Times are lower bounds only: a loaded machine may be late.
#include "burrow/timer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "lang/test_strands.h"

namespace burrow {
namespace {

using namespace std::chrono_literals;

TEST(After, SendsTheTimeOnce) {
  TimePoint start = std::chrono::steady_clock::now();
  Chan<TimePoint> chan = after(2ms);
  std::optional<TimePoint> fired = chan.recv();
  ASSERT_TRUE(fired.has_value());
  EXPECT_GE(*fired, start + 2ms);
  EXPECT_EQ(chan.try_recv(), std::nullopt);
}

TEST(After, MayBeForgotten) {
  for (int i = 0; i < 1000; ++i) {
    (void)after(std::chrono::microseconds(i));
  }
  (void)after(5ms).recv();
}

// Timers fire in the order of their times, whatever the order of starting them.
TEST(Timer, FireInOrder) {
  constexpr int kTimers = 200;
  auto order = std::make_shared<Chan<int>>(size_t{kTimers});
  std::vector<std::unique_ptr<Timer>> timers;
  TestRandom random(1);
  std::vector<int> ranks(kTimers);
  for (int i = 0; i < kTimers; ++i) {
    ranks[static_cast<size_t>(i)] = i;
  }
  for (size_t i = ranks.size() - 1; i > 0; --i) {
    std::swap(ranks[i], ranks[random.below(i + 1)]);
  }
  std::vector<TimePoint> fired(kTimers);
  TimePoint start = std::chrono::steady_clock::now();
  timers.resize(kTimers);
  for (int rank : ranks) {
    timers[static_cast<size_t>(rank)] =
        std::make_unique<Timer>((start + 20ms + rank * 100us) - std::chrono::steady_clock::now());
  }
  for (size_t i = 0; i < timers.size(); ++i) {
    fired[i] = *timers[i]->chan().recv();
    EXPECT_GE(fired[i], start + 20ms + i * 100us);
  }
}

TEST(Timer, StopKeepsItFromFiring) {
  Timer timer(1h);
  EXPECT_TRUE(timer.stop());
  EXPECT_FALSE(timer.stop());
  EXPECT_EQ(timer.chan().try_recv(), std::nullopt);
}

TEST(Timer, StopTakesBackWhatNobodyReceived) {
  Timer timer(0s);
  while (timer.chan().size() == 0) {
    yield();
  }
  EXPECT_TRUE(timer.stop());
  EXPECT_EQ(timer.chan().try_recv(), std::nullopt);
  EXPECT_FALSE(timer.reset(1us));
  EXPECT_TRUE(timer.chan().recv().has_value());
  EXPECT_FALSE(timer.stop());
}

TEST(Timer, NoOldTimeAfterReset) {
  for (int i = 0; i < 200; ++i) {
    Timer timer(std::chrono::microseconds(i % 20));
    TimePoint reset = std::chrono::steady_clock::now();
    (void)timer.reset(50us);
    EXPECT_GE(*timer.chan().recv(), reset + 50us);
  }
}

TEST(Timer, StopRacesWithFiring) {
  int stopped = 0;
  int received = 0;
  for (int i = 0; i < 500; ++i) {
    Timer timer(std::chrono::microseconds(i % 30));
    if (i % 3 != 0) {
      yield();
    }
    if (timer.stop()) {
      ++stopped;
    } else {
      FAIL() << "nobody received it, so it can be taken back";
    }
    received += timer.chan().try_recv().has_value() ? 1 : 0;
  }
  EXPECT_EQ(stopped, 500);
  EXPECT_EQ(received, 0);
}

TEST(Timer, MovesAndOutlivesItsChannelsCopies) {
  Chan<TimePoint> chan = nullptr;
  {
    Timer first(1h);
    Timer second = std::move(first);
    chan = second.chan();
    EXPECT_TRUE(second.reset(1us));
    EXPECT_TRUE(chan.recv().has_value());
  }
  EXPECT_EQ(chan.try_recv(), std::nullopt);
}

TEST(AfterFunc, RunsInAGoroutineOfItsOwn) {
  Chan<int> result;
  Timer timer = after_func(1ms, [result] { result.send(7); });  // send waits: it may
  EXPECT_EQ(result.recv(), 7);
  EXPECT_FALSE(timer.stop());
  EXPECT_FALSE(timer.reset(1us));
  EXPECT_EQ(result.recv(), 7);
}

TEST(AfterFunc, DoesNotRunWhenStopped) {
  auto token = std::make_shared<int>(0);
  {
    Timer timer = after_func(1h, [token] { ADD_FAILURE() << "stopped before"; });
    EXPECT_EQ(token.use_count(), 2);
    EXPECT_TRUE(timer.stop());
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Ticker, TicksAndLeavesOutWhatNobodyReceives) {
  TimePoint start = std::chrono::steady_clock::now();
  Ticker ticker(500us);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_GE(*ticker.chan().recv(), start + i * 500us);
  }
  ticker.reset(1h);
  EXPECT_EQ(ticker.chan().try_recv(), std::nullopt);
  ticker.stop();
}

}  // namespace
}  // namespace burrow
