// The run queue against a model, alone and with thieves.
#include "sched/run_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace burrow::sched {

/// Starts a queue's indices anywhere, to see them wrap.
struct RunQueueTestPeer {
  static void start_at(RunQueue& queue, uint32_t index) {
    queue.head_.store(index);
    queue.tail_.store(index);
  }
};

namespace {

using Model = std::deque<Goroutine*>;

class RunQueueTest : public testing::TestWithParam<uint32_t> {
 protected:
  RunQueueTest() { RunQueueTestPeer::start_at(queue_, GetParam()); }

  Goroutine* fresh() {
    all_.push_back(std::make_unique<Goroutine>());
    return all_.back().get();
  }

  void push() {
    Goroutine* g = fresh();
    bool room = model_.size() < RunQueue::kCapacity;
    ASSERT_EQ(queue_.push(g), room);
    if (room) {
      model_.push_back(g);
    }
  }

  void pop() {
    Goroutine* expected = model_.empty() ? nullptr : model_.front();
    ASSERT_EQ(queue_.pop(), expected);
    if (expected != nullptr) {
      model_.pop_front();
    }
  }

  // The first half in order, the last of it returned.
  void steal() {
    RunQueue thief;
    RunQueueTestPeer::start_at(thief, GetParam() + 77);
    size_t half = model_.size() - model_.size() / 2;
    Goroutine* last = thief.steal_half(queue_);
    ASSERT_EQ(last != nullptr, half > 0);
    for (size_t i = 0; i < half; ++i) {
      ASSERT_EQ(i + 1 < half ? thief.pop() : last, model_.front());
      model_.pop_front();
    }
    ASSERT_EQ(thief.pop(), nullptr);
  }

  void shed() {
    GoroutineList list;
    queue_.shed_half(list);
    ASSERT_EQ(list.count, std::min<size_t>(model_.size(), RunQueue::kCapacity / 2));
    while (Goroutine* g = list.pop()) {
      ASSERT_EQ(g, model_.front());
      model_.pop_front();
    }
  }

  RunQueue queue_;
  Model model_;
  std::vector<std::unique_ptr<Goroutine>> all_;
};

TEST_P(RunQueueTest, DoesWhatTheModelDoes) {
  std::mt19937 random(GetParam());
  for (int i = 0; i < 20'000; ++i) {
    // Phases that fill and phases that empty.
    bool filling = i / 700 % 2 == 0;
    uint32_t draw = random() % 100;
    if (draw < (filling ? 70U : 30U)) {
      push();
    } else if (draw < 97) {
      pop();
    } else if (draw < 99) {
      steal();
    } else if (model_.size() == RunQueue::kCapacity || draw == 99) {
      shed();
    }
    ASSERT_EQ(queue_.size(), model_.size());
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST_P(RunQueueTest, FullRefuses) {
  for (uint32_t i = 0; i < RunQueue::kCapacity + 5; ++i) {
    push();
  }
  EXPECT_EQ(queue_.size(), RunQueue::kCapacity);
  shed();
  push();
}

// Each goroutine is taken once, and each taker gets them in the order that they were pushed in.
TEST_P(RunQueueTest, ThievesAndOwnerTakeEachOnce) {
  constexpr uint32_t kCount = 20'000;
  constexpr size_t kThieves = 2;
  std::vector<Goroutine> goroutines(kCount);
  std::vector<std::atomic<int>> taken(kCount);
  std::atomic<uint32_t> left{kCount};
  auto take = [&](const Goroutine* g, ptrdiff_t& last) {
    ptrdiff_t index = g - goroutines.data();
    taken[static_cast<size_t>(index)].fetch_add(1);
    left.fetch_sub(1);
    EXPECT_GT(index, last);
    last = index;
  };
  std::vector<std::thread> thieves;
  for (size_t t = 0; t < kThieves; ++t) {
    thieves.emplace_back([&] {
      RunQueue own;
      ptrdiff_t last = -1;
      while (left.load() > 0) {
        Goroutine* g = own.steal_half(queue_);
        while (Goroutine* queued = own.pop()) {
          take(queued, last);
        }
        if (g != nullptr) {
          take(g, last);
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  ptrdiff_t last = -1;
  for (uint32_t i = 0; i < kCount; ++i) {
    while (!queue_.push(&goroutines[i])) {
      if (Goroutine* g = queue_.pop(); g != nullptr) {
        take(g, last);
      }
    }
    if (i % 3 == 0) {
      if (Goroutine* g = queue_.pop(); g != nullptr) {
        take(g, last);
      }
    }
  }
  while (Goroutine* g = queue_.pop()) {
    take(g, last);
  }
  for (std::thread& thief : thieves) {
    thief.join();
  }
  EXPECT_TRUE(std::ranges::all_of(taken, [](const auto& n) { return n.load() == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Indices, RunQueueTest,
                         testing::Values(0U, 100U, UINT32_MAX - 3, UINT32_MAX - 5000));

TEST(GoroutineListTest, IsFirstInFirstOut) {
  std::vector<Goroutine> g(6);
  GoroutineList a;
  GoroutineList b;
  EXPECT_EQ(a.pop(), nullptr);
  for (size_t i = 0; i < 3; ++i) {
    a.push(&g[i]);
    b.push(&g[i + 3]);
  }
  a.append(b);
  EXPECT_TRUE(b.empty());
  a.append(b);
  EXPECT_EQ(a.count, 6U);
  for (Goroutine& one : g) {
    EXPECT_EQ(a.pop(), &one);
  }
  EXPECT_TRUE(a.empty());
  b.append(a);
  b.push(&g[0]);
  EXPECT_EQ(b.pop(), &g[0]);
}

}  // namespace
}  // namespace burrow::sched
