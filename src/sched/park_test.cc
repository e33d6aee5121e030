// Parking and waking, as channels and the like use them.
#include "sched/park.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "burrow/go.h"
#include "sched/test_processors.h"
#include "sched/waiter.h"

namespace burrow {
namespace {

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
