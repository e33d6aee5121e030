// The collector among goroutines: who computes keeps it waiting for nothing, who collects keeps
// nobody else waiting, and who is parked keeps what its stack points to.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "burrow/chan.h"
#include "burrow/gc.h"
#include "burrow/go.h"
#include "burrow/stack.h"
#include "lang/collected_test.h"
#include "sched/park.h"
#include "sched/test_processors.h"

namespace burrow {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

struct Node {
  Ptr<Node> next;
  int value = 0;
};

constexpr int kMany = 50;
constexpr int kFew = 2;

int count_alive(const std::vector<Weak<Node>>& weak) {
  int alive = 0;
  for (const Weak<Node>& w : weak) {
    alive += w.get() != nullptr ? 1 : 0;
  }
  return alive;
}

// Drops kMany objects and collects: true when they are gone, as a collection has come to its end.
bool collects_what_is_dropped() {
  std::vector<Weak<Node>> dropped;
  in_deep_frame([&] {
    for (int i = 0; i < kMany; ++i) {
      dropped.emplace_back(make<Node>());
    }
  });
  wipe_stack_and_collect();
  return count_alive(dropped) <= kFew;
}

// What one goroutine computes without end, calling nothing of the runtime, until it is told.
class Endless {
 public:
  // The calling goroutine's stack or registers have the only pointer to `node`.
  void compute(Node* node) {
    auto end = steady_clock::now() + seconds(120);
    began_.store(true);
    while (!stop_.load(std::memory_order_relaxed) && steady_clock::now() < end) {
      turns_.fetch_add(1, std::memory_order_relaxed);
    }
    EXPECT_TRUE(stop_.load());
    EXPECT_EQ(node->value, 7);
  }

  // On another strand: collections begin and end while it computes, and it goes on after each.
  void collect_meanwhile() {
    while (!began_.load()) {
      std::this_thread::yield();
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(collects_what_is_dropped());
      uint64_t seen = turns_.load();
      while (turns_.load() == seen) {
        std::this_thread::yield();
      }
    }
    stop_.store(true);
  }

 private:
  std::atomic<bool> began_{false};
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> turns_{0};
};

[[gnu::noinline]] Node* make_seven() {
  Node* node = make<Node>();
  node->value = 7;
  return node;
}

TEST(CollectAmongGoroutines, WhoComputesWithoutEndDoesNotKeepAThreadWaiting) {
  Processors one(1);
  Endless endless;
  std::thread other([&] { endless.collect_meanwhile(); });
  run([&] { endless.compute(make_seven()); });
  other.join();
}

TEST(CollectAmongGoroutines, WhoComputesWithoutEndDoesNotKeepAGoroutineWaiting) {
  Processors two(2);
  Endless endless;
  run([&] {
    WaitGroup group;
    group.go([&] { endless.collect_meanwhile(); });
    endless.compute(make_seven());
    group.wait();
  });
}

// On one processor the other can run only when who collects has lent it.
TEST(CollectAmongGoroutines, WhoCollectsLendsItsProcessor) {
  Processors one(1);
  run([] {
    std::atomic<bool> ran{false};
    go([&] { ran.store(true); });
    auto end = steady_clock::now() + seconds(60);
    while (!ran.load() && steady_clock::now() < end) {
      collect();
    }
    EXPECT_TRUE(ran.load());
  });
}

// On a goroutine of its own, which may wait as any other: also when there is one processor only.
TEST(CollectAmongGoroutines, CleanupsAreGoroutines) {
  for (int processors : {1, 2}) {
    Processors some(processors);
    run([] {
      Chan<uint64_t> ids;
      Chan<bool> go_on;
      in_deep_frame([&] {
        auto cleanup = [](const std::pair<Chan<uint64_t>, Chan<bool>>& chans) {
          chans.first.send(sched::goroutine_id(sched::current()));
          (void)chans.second.recv();
          chans.first.send(0);
        };
        add_cleanup(make<Node>(), cleanup, std::pair(ids, go_on));
      });
      wipe_stack_and_collect();
      uint64_t id = *ids.recv();
      EXPECT_NE(id, 0U);
      EXPECT_NE(id, sched::goroutine_id(sched::current()));
      EXPECT_TRUE(collects_what_is_dropped());
      go_on.send(true);
      EXPECT_EQ(*ids.recv(), 0U);
    });
  }
}

// Uses about so much stack below the caller, and gives it back.
[[gnu::noinline]] int use_stack(int kib) {
  std::array<char, 1024> block;
  block.front() = block.back() = 1;
  asm volatile("" : : "r"(block.data()) : "memory");  // it is used, as a whole
  return (kib > 1 ? use_stack(kib - 1) : 0) + block.back();
}

// Each is parked through several collections, which also trim what lies below on its stack.
TEST(CollectAmongGoroutines, WhoIsParkedKeepsWhatItsStackPointsTo) {
  // On one processor all are at the gate when this one goes on after `parked.wait`.
  Processors one(1);
  run([] {
    auto weak = std::make_unique<std::vector<Weak<Node>>>(kMany);
    Chan<bool> gate;
    WaitGroup parked;
    WaitGroup ended;
    parked.add(kMany);
    for (int i = 0; i < kMany; ++i) {
      ended.go([&weak, &gate, &parked, i] {
        EXPECT_EQ(use_stack(300), 300);
        EXPECT_GE(stack_usage().committed, size_t{300} * 1024);
        Node* only = make<Node>();
        only->value = i;
        (*weak)[static_cast<size_t>(i)] = Weak<Node>(only);
        parked.done();
        (void)gate.recv();
        EXPECT_LT(stack_usage().committed, size_t{64} * 1024);
        EXPECT_EQ((*weak)[static_cast<size_t>(i)].get(), only);
        EXPECT_EQ(only->value, i);
      });
    }
    parked.wait();
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(collects_what_is_dropped());
      EXPECT_EQ(count_alive(*weak), kMany);
    }
    gate.close();
    ended.wait();
  });
}

}  // namespace
}  // namespace burrow
