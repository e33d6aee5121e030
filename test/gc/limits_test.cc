// How much memory the collected heap takes: what is dropped comes back, the heap stays near its
// goal and below its limit while it can, and goes past the limit when it must.
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "burrow/go.h"
#include "burrow/memstats.h"
#include "gc/collector.h"
#include "gc/faults.h"
#include "gc/pacer.h"

namespace burrow {
namespace {

constexpr size_t kMega = size_t{1} << 20;

struct Tree {
  Ptr<Tree> left;
  Tree* right = nullptr;
  uint64_t value[2] = {};
};

struct Watched {
  explicit Watched(Tree* t) : tree(t), notes(10, t) {}

  Tree* tree;
  std::vector<Tree*> notes;
};

Tree* grow(int depth) {
  auto* tree = make<Tree>();
  if (depth > 0) {
    tree->left = grow(depth - 1);
    tree->right = grow(depth - 1);
  }
  return tree;
}

// Runs `f` on a stack that ends with it: stale words keep nothing.
void apart(const std::function<void()>& f) {
  std::thread(f).join();
}

uint64_t live_after_two_cycles() {
  collect();
  collect();
  return read_mem_stats().heap_alloc;
}

size_t resident() {
  size_t size = 0;
  size_t pages = 0;
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"), std::fclose);
  EXPECT_EQ(std::fscanf(file.get(), "%zu %zu", &size, &pages), 2);
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Objects of all kinds, and what is kept by malloc'd memory, Root, Weak and destructors.
void build_and_drop() {
  std::vector<Root<Tree>> roots;
  std::vector<Weak<Watched>> weak;
  std::vector<char*> bytes;
  for (int i = 0; i < 8; ++i) {
    roots.emplace_back(grow(14));
    for (int n = 0; n < 1000; ++n) {
      weak.emplace_back(make<Watched>(roots.back().get()));
      bytes.push_back(make_array<char>(static_cast<size_t>(n) * 100));
    }
  }
}

TEST(Limits, WhatIsDroppedComesBack) {
  apart(build_and_drop);  // whatever is made once and kept
  uint64_t before = live_after_two_cycles();
  uint64_t most = 0;
  apart([&] {
    build_and_drop();
    most = read_mem_stats().heap_alloc;
  });
  ASSERT_GT(most, before + 32 * kMega);
  // Destructors keep what they reach until they have run: on a thread of their own.
  uint64_t after = 0;
  for (int i = 0; i < 1000; ++i) {
    after = live_after_two_cycles();
    if (after <= before + most / 100) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(after, before + most / 100);
}

// Allocates `bytes` in all, of which `kept` live.
void churn(size_t bytes, size_t kept, const std::function<void()>& look) {
  std::vector<Tree*> ring(kept / sizeof(Tree));
  size_t count = bytes / sizeof(Tree);
  for (size_t i = 0; i < count; ++i) {
    ring[i % ring.size()] = make<Tree>();
    if (i % (kMega / sizeof(Tree)) == 0) {
      look();
    }
  }
}

TEST(Limits, ALongRunStaysNearItsGoal) {
  size_t start = resident();
  size_t most = 0;
  uint64_t goal = 0;
  uint32_t cycles = gc::g_collector.stats().cycles;
  apart([&] {
    churn(4096 * kMega, 32 * kMega, [&] {
      most = std::max(most, resident());
      if (uint64_t now = gc::g_pacer.goal(); now != UINT64_MAX) {
        goal = std::max(goal, now);
      }
    });
  });
  EXPECT_GT(gc::g_collector.stats().cycles, cycles + 10);
  ASSERT_GT(goal, 32 * kMega);
  // Half as much again for what is allocated while marking ends, and the collector's tables.
  EXPECT_LT(most, start + goal + goal / 2 + 32 * kMega);
}

TEST(Limits, ALimitIsKeptWithoutAPercentage) {
  collect();
  free_os_memory();
  int percent = set_gc_percent(-1);
  constexpr size_t kLimit = 128 * kMega;
  int64_t limit = set_memory_limit(kLimit);
  uint32_t cycles = gc::g_collector.stats().cycles;
  uint64_t most = 0;
  apart([&] {
    churn(2048 * kMega, 16 * kMega, [&] { most = std::max(most, read_mem_stats().heap_alloc); });
  });
  set_memory_limit(limit);
  set_gc_percent(percent);
  EXPECT_GT(gc::g_collector.stats().cycles, cycles + 10);
  // What is allocated while a cycle ends comes on top, more on a loaded machine; without the limit
  // it would be 2 GiB.
  EXPECT_LT(most, 2 * kLimit);
}

TEST(Limits, WhatLivesMayGoPastTheLimit) {
  collect();
  int64_t limit = set_memory_limit(48 * kMega);
  apart([] {
    std::vector<Tree*> all(96 * kMega / sizeof(Tree));
    size_t number = 0;
    for (Tree*& tree : all) {
      tree = make<Tree>();
      tree->value[0] = number++;
    }
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(all[i]->value[0], i);
    }
  });
  set_memory_limit(limit);
}

TEST(Limits, CyclesPastTheLimitWaitWhenTheyTakeMoreThanHalf) {
  gc::CycleFigures figures;
  figures.marked_bytes = 100 * kMega;
  figures.live_at_end = figures.live_at_start = figures.marked_bytes;
  gc::Pacer pacer;
  pacer.end_cycle(figures);
  int64_t limit = set_memory_limit(10 * kMega);
  uint64_t room = 0;
  for (int i = 0; i < 10; ++i) {
    pacer.note_share(51, 100);
    pacer.recompute();
    EXPECT_GE(pacer.goal() - pacer.marked(), room);
    room = pacer.goal() - pacer.marked();
  }
  EXPECT_EQ(room, 100 * kMega);  // as without a limit
  for (int i = 0; i < 100; ++i) {
    pacer.note_share(49, 100);
  }
  pacer.recompute();
  EXPECT_EQ(pacer.goal() - pacer.marked(), kMega);
  set_memory_limit(limit);
}

// No cycle begins while this lives.
class NoStart {
 public:
  NoStart() { gc::g_collector.cycle_lock().lock_for_fork(); }

  ~NoStart() { gc::g_collector.cycle_lock().unlock_after_fork(); }

  NoStart(const NoStart&) = delete;
  NoStart& operator=(const NoStart&) = delete;
};

// A cycle may begin, but cannot end while this lives: it has the loader's lock.
class NoEnd {
 public:
  NoEnd() : holder_([this] { dl_iterate_phdr(hold, this); }) {
    gc::g_loader_looks = 10'000;
    while (!holds_) {
      std::this_thread::yield();
    }
  }

  ~NoEnd() {
    ends_ = true;
    holder_.join();
    gc::g_loader_looks = looks_;
  }

  NoEnd(const NoEnd&) = delete;
  NoEnd& operator=(const NoEnd&) = delete;

 private:
  static int hold(dl_phdr_info* /*info*/, size_t /*size*/, void* raw) {
    auto& self = *static_cast<NoEnd*>(raw);
    self.holds_ = true;
    while (!self.ends_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return 1;
  }

  int looks_ = gc::g_loader_looks.load();
  std::atomic<bool> holds_{false};
  std::atomic<bool> ends_{false};
  std::thread holder_;
};

constexpr size_t kFarPast = 64 * kMega;

// How far past its goal the heap gets in the hands of one thread while `Hindrance` lives.
template <typename Hindrance>
uint64_t gets_past_the_goal(uint64_t expected) {
  collect();
  uint64_t goal = gc::g_pacer.goal();
  std::atomic<bool> done{false};
  std::thread thread;
  uint64_t most = 0;
  {
    Hindrance hindrance;
    thread = std::thread([&] {
      churn(goal + kFarPast, kMega, [] {});
      done = true;
    });
    while (gc::g_pacer.live() <= goal + expected) {
      std::this_thread::yield();
    }
    // Without the wait it allocates on to the end.
    for (int i = 0; i < 50 || (gc::g_faults.no_hold_back && !done); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    most = gc::g_pacer.live();
  }
  thread.join();
  return most - std::min(most, goal);
}

uint64_t past_the_goal_allowed() {
  return std::max(gc::g_pacer.goal() / 8, 4 * kMega);
}

TEST(HoldBack, WhoAllocatesWaitsForTheCyclesStart) {
  EXPECT_LE(gets_past_the_goal<NoStart>(0), kMega);  // a run of blocks
}

TEST(HoldBack, WhoAllocatesWaitsForTheCyclesEnd) {
  collect();
  uint64_t allowed = past_the_goal_allowed();
  EXPECT_LE(gets_past_the_goal<NoEnd>(allowed), allowed + kMega);
}

// Run with BURROW_PROCS=1 too: then both share a processor.
TEST(HoldBack, OtherGoroutinesGoOn) {
  collect();
  uint64_t goal = gc::g_pacer.goal();
  std::atomic<bool> done{false};
  std::atomic<uint64_t> turns{0};
  WaitGroup group;
  bool went_on = false;
  {
    NoStart none;
    group.go([&] {
      churn(goal + kFarPast, kMega, [] {});
      done = true;
    });
    group.go([&] {
      while (!done) {
        ++turns;
        yield();
      }
    });
    while (gc::g_pacer.live() <= goal) {
      std::this_thread::yield();
    }
    uint64_t before = turns;
    for (int i = 0; i < 10'000 && !went_on; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      went_on = turns > before + 1000;
    }
    EXPECT_FALSE(done);
  }
  group.wait();
  EXPECT_TRUE(went_on);
}

TEST(HoldBack, WithoutItTheHeapGrowsOn) {
  gc::g_faults.no_hold_back = true;
  EXPECT_GE(gets_past_the_goal<NoStart>(0), kFarPast / 2);
  EXPECT_GE(gets_past_the_goal<NoEnd>(0), kFarPast / 2);
  gc::g_faults.no_hold_back = false;
}

TEST(HoldBack, WhoHoldsTheLoadersLockIsLetGo) {
  apart([] {
    dl_iterate_phdr(
        [](dl_phdr_info*, size_t, void*) {
          churn(kFarPast / 2, kMega, [] {});
          return 1;
        },
        nullptr);
  });
  uint32_t cycles = gc::g_collector.stats().cycles;
  collect();
  EXPECT_GT(gc::g_collector.stats().cycles, cycles);
  uint64_t allowed = past_the_goal_allowed();
  EXPECT_LE(gets_past_the_goal<NoEnd>(allowed), allowed + kMega);
}

TEST(PeriodDeathTest, ACycleRunsWithoutAllocation) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        gc::g_period_ns = 20'000'000;
        collect();
        uint32_t cycles = gc::g_collector.stats().cycles;
        while (gc::g_collector.stats().cycles < cycles + 3) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace burrow
