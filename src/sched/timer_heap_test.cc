// The heap of timers against a model, and its promises to who stops a timer while it runs.
#include "sched/timer_heap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace burrow::sched {
namespace {

// A timer that notes its number when it fires.
struct Noting {
  Timer timer;
  int number = 0;
  std::vector<int>* fired = nullptr;
};

void note(void* raw) {
  auto* noting = static_cast<Noting*>(raw);
  noting->fired->push_back(noting->number);
}

class Model {
 public:
  explicit Model(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto noting = std::make_unique<Noting>();
      noting->number = static_cast<int>(i);
      noting->fired = &fired_;
      noting->timer.callback = note;
      noting->timer.argument = noting.get();
      timers_.push_back(std::move(noting));
    }
  }

  void add(size_t i, int64_t when) {
    bool first = times_.empty() || when < earliest();
    times_[static_cast<int>(i)] = when;
    bool told = heap_.add(timers_[i]->timer, when, 0);
    // Among equals either may count as the first.
    ASSERT_TRUE(told == first || when == earliest());
  }

  void remove(size_t i) {
    ASSERT_EQ(heap_.remove(timers_[i]->timer), times_.erase(static_cast<int>(i)) == 1);
  }

  void run(int64_t now) {
    fired_.clear();
    std::multimap<int64_t, int> due;
    for (auto [number, when] : times_) {
      if (when <= now) {
        due.emplace(when, number);
      }
    }
    ASSERT_EQ(heap_.run(now), due.size());
    ASSERT_EQ(fired_.size(), due.size());
    // By time; equals in any order.
    int64_t last = 0;
    for (int number : fired_) {
      ASSERT_LE(last, times_[number]);
      last = times_[number];
      ASSERT_LE(last, now);
      times_.erase(number);
    }
  }

  void check() {
    heap_.verify();
    ASSERT_EQ(heap_.earliest(), earliest());
  }

  [[nodiscard]] bool started(size_t i) const { return times_.contains(static_cast<int>(i)); }

 private:
  [[nodiscard]] int64_t earliest() const {
    int64_t first = kNever;
    for (auto [number, when] : times_) {
      first = std::min(first, when);
    }
    return first;
  }

  TimerHeap heap_;
  std::vector<std::unique_ptr<Noting>> timers_;
  std::map<int, int64_t> times_;  // those started
  std::vector<int> fired_;
};

TEST(TimerHeapTest, DoesWhatTheModelDoes) {
  constexpr size_t kTimers = 700;  // more than the first piece of memory holds
  Model model(kTimers);
  std::mt19937 random(5);
  int64_t now = 1;
  for (int step = 0; step < 6000; ++step) {
    size_t i = random() % kTimers;
    uint32_t draw = random() % 100;
    if (draw < 75) {
      if (!model.started(i)) {
        model.add(i, now + static_cast<int64_t>(random() % 3000));
      }
    } else if (draw < 97 || step < 2000) {
      model.remove(i);
    } else {
      now += static_cast<int64_t>(random() % 200);
      model.run(now);
    }
    model.check();
    if (testing::Test::HasFatalFailure()) {
      return;
    }
  }
  model.run(now + 1'000'000);
  model.check();
}

TEST(TimerHeapTest, PeriodsLeaveOutWhatWasMissed) {
  TimerHeap heap;
  std::vector<int> fired;
  Noting noting{{.callback = note, .argument = &noting}, 1, &fired};
  heap.add(noting.timer, 100, 10);
  EXPECT_EQ(heap.run(99), 0U);
  EXPECT_EQ(heap.run(100), 1U);
  EXPECT_EQ(heap.earliest(), 110);
  EXPECT_EQ(heap.run(145), 1U);
  EXPECT_EQ(heap.earliest(), 150);
  EXPECT_TRUE(heap.remove(noting.timer));
  EXPECT_EQ(heap.earliest(), kNever);
  EXPECT_EQ(heap.run(1000), 0U);
}

TEST(TimerHeapTest, CallbacksMayStartAndStopTimers) {
  TimerHeap heap;
  int calls = 0;
  Timer timer;
  std::function<void()> again = [&] {
    EXPECT_FALSE(heap.remove(timer));  // it has begun; and it does not wait for itself
    if (++calls < 3) {
      heap.add(timer, 7, 0);
    }
  };
  timer.callback = [](void* raw) { (*static_cast<std::function<void()>*>(raw))(); };
  timer.argument = &again;
  heap.add(timer, 5, 0);
  EXPECT_EQ(heap.run(10), 3U);
  EXPECT_EQ(calls, 3);
}

TEST(TimerHeapTest, RemoveWaitsForTheCallback) {
  TimerHeap heap;

  struct Shared {
    std::atomic<bool> begun{false};
    std::atomic<bool> may_end{false};
    std::atomic<bool> ended{false};
  } shared;

  Timer timer;
  timer.callback = [](void* raw) {
    auto* s = static_cast<Shared*>(raw);
    s->begun.store(true);
    while (!s->may_end.load()) {
      std::this_thread::yield();
    }
    s->ended.store(true);
  };
  timer.argument = &shared;
  heap.add(timer, 1, 0);
  std::thread runner([&] { heap.run(1); });
  while (!shared.begun.load()) {
    std::this_thread::yield();
  }
  EXPECT_EQ(heap.run(1), 0U);  // another is at it
  std::thread releaser([&] { shared.may_end.store(true); });
  EXPECT_FALSE(heap.remove(timer));
  EXPECT_TRUE(shared.ended.load());
  runner.join();
  releaser.join();
}

// Each start of a timer ends in one call of it or in one successful stop.
TEST(TimerHeapTest, StartsAndStopsRaceWithRunners) {
  constexpr int kRounds = 3000;
  TimerHeap heap;
  std::atomic<int> fired{0};
  std::atomic<int> stopped{0};
  std::atomic<int> left{2};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      Timer timer;
      timer.callback = [](void* raw) { static_cast<std::atomic<int>*>(raw)->fetch_add(1); };
      timer.argument = &fired;
      for (int i = 0; i < kRounds; ++i) {
        heap.add(timer, i, 0);
        if (i % 4 == 0) {
          std::this_thread::yield();
        }
        stopped.fetch_add(heap.remove(timer) ? 1 : 0);
      }
      left.fetch_sub(1);
    });
    threads.emplace_back([&] {
      while (left.load() > 0) {
        if (heap.run(kRounds) == 0) {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  heap.verify();
  EXPECT_EQ(fired.load() + stopped.load(), 2 * kRounds);
}

}  // namespace
}  // namespace burrow::sched
