// Slots, guards, trimming and the keeping of stacks.
#include "sched/stack.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "burrow/go.h"
#include "burrow/stack.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/test_processors.h"
#include "sched/usage.h"

namespace burrow::sched {
namespace {

// Whether an address can be read, without a signal where it cannot: the kernel looks.
class Prober {
 public:
  Prober() { EXPECT_EQ(pipe(ends_.data()), 0); }

  ~Prober() {
    close(ends_[0]);
    close(ends_[1]);
  }

  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  bool readable(const char* at) {
    char c = 0;
    return write(ends_[1], at, 1) == 1 && read(ends_[0], &c, 1) == 1;
  }

 private:
  std::array<int, 2> ends_{};
};

StackArea g_area;  // one of its own, never freed as it would not be in a program

class StackAreaTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { g_area.start(); }

  static char* bytes(Goroutine* g) { return reinterpret_cast<char*>(g); }

  static StackArea::Bounds bounds(const void* at) {
    StackArea::Bounds found;
    EXPECT_TRUE(g_area.find(reinterpret_cast<uintptr_t>(at), found));
    return found;
  }
};

TEST_F(StackAreaTest, SlotsAreApartAndFound) {
  std::vector<Goroutine*> all;
  std::set<char*> slots;
  for (int i = 0; i < 300; ++i) {  // more than one region
    Goroutine* g = g_area.make();
    ASSERT_NE(g, nullptr);
    StackArea::Bounds of_g = bounds(g);
    EXPECT_EQ(of_g.goroutine, g);
    EXPECT_EQ(of_g.low, g->stack_low);
    EXPECT_EQ(of_g.low - of_g.slot, static_cast<ptrdiff_t>(g_area.guard_bytes()));
    EXPECT_GE(bytes(g) - of_g.low, static_cast<ptrdiff_t>(g_area.limit_bytes()));
    EXPECT_LE(bytes(g + 1), of_g.slot + g_area.slot_bytes());
    // Guard, lowest byte and the goroutine itself belong to the same slot.
    EXPECT_EQ(bounds(of_g.slot).goroutine, g);
    EXPECT_EQ(bounds(of_g.low - 1).goroutine, g);
    EXPECT_EQ(bounds(of_g.low).goroutine, g);
    slots.insert(of_g.slot);
    all.push_back(g);
  }
  EXPECT_EQ(slots.size(), all.size());
  for (auto at = slots.begin(), next = std::next(at); next != slots.end(); ++at, ++next) {
    EXPECT_GE(*next - *at, static_cast<ptrdiff_t>(g_area.slot_bytes()));
  }
  StackArea::Bounds none;
  EXPECT_FALSE(g_area.find(reinterpret_cast<uintptr_t>(&none), none));
  size_t seen = 0;
  g_area.for_each([&](Goroutine& g) { seen += std::ranges::count(all, &g) == 1 ? 1 : 0; });
  EXPECT_EQ(seen, all.size());
}

TEST_F(StackAreaTest, TheGuardLiesBelowTheLowestByte) {
  Prober prober;
  for (int i = 0; i < 20; ++i) {
    Goroutine* g = g_area.make();
    StackArea::Bounds of_g = bounds(g);
    *g->stack_low = 'x';
    EXPECT_TRUE(prober.readable(of_g.low));
    for (size_t below : {size_t{1}, size_t{4096}, g_area.guard_bytes() / 2, g_area.guard_bytes()}) {
      EXPECT_FALSE(prober.readable(of_g.low - below)) << below;
    }
  }
  EXPECT_GE(g_area.guard_bytes(), kMinGuardBytes);
}

TEST_F(StackAreaTest, RecyclingGivesPagesBackAndTheSlotAgain) {
  Goroutine* g = g_area.make();
  char* low = g->stack_low;
  size_t room = static_cast<size_t>(bytes(g) - low);
  constexpr size_t kTouched = 40 * os::kOsPageSize;
  std::memset(bytes(g) - kTouched, 1, kTouched);
  StackArea::Pages pages = StackArea::pages_of(low, low + room / os::kOsPageSize * os::kOsPageSize);
  EXPECT_GE(pages.bytes, kTouched - os::kOsPageSize);
  EXPECT_GE(pages.depth, kTouched - 2 * os::kOsPageSize);
  GoroutineList dead;
  dead.push(g);
  EXPECT_GE(g_area.recycle(dead), kTouched);
  EXPECT_TRUE(dead.empty());
  EXPECT_EQ(StackArea::pages_of(low, low + g_area.slot_bytes() - g_area.guard_bytes()).bytes, 0U);
  Goroutine* again = g_area.make();
  EXPECT_EQ(again, g);
  EXPECT_EQ(again->state.load(), GoroutineState::kDead);
  Prober prober;
  EXPECT_FALSE(prober.readable(low - 1));  // the guard has stayed
}

// Uses about so much stack below the caller, and gives it back.
BURROW_NOINLINE int use_stack(int kib) {
  std::array<char, 1024> block;
  block.front() = block.back() = 1;
  asm volatile("" : : "r"(block.data()) : "memory");  // it is used, as a whole
  return (kib > 1 ? use_stack(kib - 1) : 0) + block.back();
}

bool publish(void* raw) {
  auto* where = static_cast<std::pair<std::atomic<Goroutine*>*, Goroutine*>*>(raw);
  where->first->store(where->second);
  return true;
}

void park_in(std::atomic<Goroutine*>& place) {
  std::pair<std::atomic<Goroutine*>*, Goroutine*> where{&place, current()};
  park(WaitReason::kChanRecv, publish, &where);
}

TEST(Stacks, TrimmingKeepsWhatAParkedOneHas) {
  run([] {
    std::atomic<Goroutine*> place{nullptr};
    std::atomic<bool> ended{false};
    go([&] {
      std::array<int, 500> mine{};
      std::ranges::fill(mine, 7);
      EXPECT_EQ(use_stack(300), 300);
      EXPECT_GE(stack_usage().high_water, size_t{300} * 1024);
      park_in(place);
      EXPECT_EQ(std::ranges::count(mine, 7), 500);
      EXPECT_LT(stack_usage().high_water, size_t{64} * 1024);
      EXPECT_LT(stack_usage().committed, size_t{64} * 1024);
      EXPECT_EQ(use_stack(300), 300);  // it grows again
      ended.store(true);
    });
    EXPECT_TRUE(eventually([&] { return place.load() != nullptr; }));
    EXPECT_TRUE(eventually([&] { return trim_stacks() >= size_t{256} * 1024; }));
    ready(place.load());
    EXPECT_TRUE(eventually([&] { return ended.load(); }));
  });
}

// The collector's trimming: who has run since the last look is left alone, and nobody is looked at
// twice for one time of being parked.
TEST(Stacks, TrimmingOfIdleOnesTakesThemOnceEachTime) {
  Processors one(1);
  run([] {
    constexpr size_t kUsed = size_t{256} * 1024;
    std::atomic<Goroutine*> place{nullptr};
    std::atomic<bool> ended{false};
    (void)trim_idle_stacks();
    (void)trim_idle_stacks();
    go([&] {
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(use_stack(300), 300);
        park_in(place);
      }
      ended.store(true);
    });
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(eventually([&] { return place.load() != nullptr; }));
      EXPECT_LT(trim_idle_stacks(), kUsed);
      EXPECT_GE(trim_idle_stacks(), kUsed);
      EXPECT_EQ(trim_idle_stacks(), 0U);
      ready(place.exchange(nullptr));
      yield();
    }
    EXPECT_TRUE(eventually([&] { return ended.load(); }));
  });
}

// What is trimmed may be woken at any moment of it.
TEST(Stacks, TrimmingRacesWithWaking) {
  run([] {
    Processors two(2);
    constexpr int kTurns = 2000;
    std::atomic<Goroutine*> place{nullptr};
    std::atomic<int> turns{0};
    std::atomic<bool> stop{false};
    go([&] {
      for (int i = 0; i < kTurns; ++i) {
        int below = use_stack(8 + i % 8);
        park_in(place);
        turns.fetch_add(below > 0 ? 1 : 0);
      }
    });
    std::thread trimmer([&] {
      while (!stop.load()) {
        trim_stacks();
        sched::trim_idle_stacks();
      }
    });
    bool all = eventually([&] {
      if (Goroutine* g = place.exchange(nullptr); g != nullptr) {
        ready(g);
      }
      return turns.load() == kTurns;
    });
    EXPECT_TRUE(all);
    stop.store(true);
    blocking([&] { trimmer.join(); });
  });
}

TEST(Stacks, TheNextGoroutineGetsTheStackOfTheLast) {
  run([] {
    Processors one(1);
    std::set<const void*> stacks;
    std::atomic<int> done{0};
    for (int i = 0; i < 100; ++i) {
      go([&] {
        stacks.insert(current());
        done.fetch_add(1);
      });
      ASSERT_TRUE(eventually([&] { return done.load() == i + 1; }));
    }
    EXPECT_LE(stacks.size(), 3U);
  });
}

TEST(Stacks, FiguresOfOneAndOfAll) {
  EXPECT_EQ(stack_usage().reserved, 0U);  // a plain thread
  run([] {
    StackStats mine = stack_usage();
    EXPECT_EQ(mine.reserved, g_stacks.slot_bytes());
    EXPECT_GT(mine.in_use, 0U);
    EXPECT_LE(mine.in_use, mine.high_water);
    EXPECT_LE(mine.high_water, mine.reserved);
    EXPECT_LE(mine.committed, mine.reserved);
    StackStats all = read_stack_stats();
    EXPECT_GE(all.committed, mine.committed);
    EXPECT_GE(all.in_use, mine.in_use);
    EXPECT_GE(all.high_water, mine.high_water);
    EXPECT_EQ(all.reserved % mine.reserved, 0U);
  });
}

}  // namespace
}  // namespace burrow::sched
