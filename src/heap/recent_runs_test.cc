// Large blocks that are kept for the next request. See recent_runs.h.
#include "heap/recent_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "heap/faults.h"
#include "heap/heap.h"
#include "heap/hooks.h"
#include "heap/mheap.h"
#include "heap/stats.h"

namespace burrow::heap {
namespace {

constexpr size_t kLarge = 100'000;

HeapStats stats() {
  HeapStats s;
  read_stats(s);
  return s;
}

TEST(RecentRuns, AFreedBlockServesTheNextRequestOfItsPages) {
  (void)release_memory();
  void* p = allocate(kLarge);
  deallocate(p);
  HeapStats before = stats();
  size_t spans = g_mheap.figures().spans;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(allocate(kLarge - static_cast<size_t>(i)), p);
    deallocate(p);
  }
  void* longer = allocate(kLarge + kPageSize);
  EXPECT_NE(longer, p) << "of other pages";
  deallocate(longer);
  EXPECT_EQ(g_mheap.figures().spans, spans + 1);
  HeapStats after = stats();
  EXPECT_EQ(after.mallocs - before.mallocs, 1001U);
  EXPECT_EQ(after.frees - before.frees, 1001U);
  EXPECT_EQ(after.alloc, before.alloc);
  EXPECT_EQ(after.large_objects, before.large_objects);
  EXPECT_EQ(after.large_bytes, before.large_bytes);
  size_t pages = PageCount::for_bytes(kLarge).value;
  EXPECT_EQ(after.total_alloc - before.total_alloc, (1001 * pages + 1) * kPageSize);
  EXPECT_EQ(after.cached_bytes - before.cached_bytes, (pages + 1) * kPageSize);
  EXPECT_TRUE(release_memory());
  EXPECT_EQ(g_mheap.figures().spans, spans - 1);
  verify();
}

TEST(RecentRuns, WhatAThreadKeepsIsBounded) {
  (void)release_memory();
  size_t before = stats().heap_inuse;
  std::vector<void*> blocks;
  for (size_t i = 0; i < 500; ++i) {
    blocks.push_back(allocate(kLarge + i % 50 * kPageSize));
  }
  for (void* p : blocks) {
    deallocate(p);
  }
  EXPECT_LE(stats().heap_inuse, before + RecentRuns::kMost.bytes());
  EXPECT_EQ(RecentRuns::budget(0), RecentRuns::kMost);
  EXPECT_EQ(RecentRuns::budget(16).bytes(), kMiB);
  EXPECT_EQ(RecentRuns::budget(100'000).bytes(), 256 * kKiB);
  verify();
}

TEST(RecentRuns, ZeroedBlocksOutOfThemAreZero) {
  auto* p = static_cast<char*>(allocate(kLarge));
  std::memset(p, 0xee, kLarge);
  deallocate(p);
  auto* q = static_cast<char*>(allocate_zeroed(kLarge));
  EXPECT_EQ(q, p);
  EXPECT_TRUE(std::all_of(q, q + kLarge, [](char c) { return c == 0; }));
  deallocate(q);
}

TEST(RecentRuns, ABlockGrowsOverAKeptNeighbour) {
  (void)release_memory();
  std::vector<void*> row;
  for (int i = 0; i < 4; ++i) {
    row.push_back(allocate(kLarge));
  }
  std::sort(row.begin(), row.end());
  size_t step = PageCount::for_bytes(kLarge).bytes();
  ASSERT_EQ(static_cast<char*>(row[0]) + step, row[1]) << "the test wants neighbours";
  deallocate(row[1]);
  EXPECT_EQ(reallocate(row[0], 2 * step), row[0]);
  for (int i : {0, 2, 3}) {
    deallocate(row[i]);
  }
  verify();
}

// Other threads' runs: kept by one that waits.
class KeepingThread {
 public:
  explicit KeepingThread(size_t bytes) {
    thread_ = std::thread([this, bytes] {
      deallocate(allocate(bytes));
      ready_.store(true);
      ready_.notify_one();
      end_.wait(false);
    });
    ready_.wait(false);
  }

  ~KeepingThread() {
    end_.store(true);
    end_.notify_one();
    thread_.join();
  }

  KeepingThread(const KeepingThread&) = delete;
  KeepingThread& operator=(const KeepingThread&) = delete;

 private:
  std::atomic<bool> ready_{false};
  std::atomic<bool> end_{false};
  std::thread thread_;
};

TEST(RecentRuns, TheLimitCountsNoRunsOfIdleThreads) {
  (void)release_memory();
  KeepingThread other(kMiB);
  HeapStats s = stats();
  size_t old = set_memory_limit(s.heap_sys - s.heap_released + kMiB / 2);
  void* p = allocate(kMiB + kMiB / 4);
  EXPECT_NE(p, nullptr) << "the other thread's run goes for it";
  set_memory_limit(old);
  deallocate(p);
  verify();
}

TEST(RecentRuns, IdleOnesGo) {
  (void)release_memory();
  size_t before = g_mheap.figures().spans;
  KeepingThread other(kLarge);
  EXPECT_EQ(g_mheap.figures().spans, before + 1);
  drop_recent_runs(true);
  drop_recent_runs(true);
  EXPECT_EQ(g_mheap.figures().spans, before);
}

TEST(RecentRuns, ThreadsStealFromOneAnotherAllTheTime) {
  std::atomic<bool> end{false};
  std::thread thief([&] {
    while (!end.load()) {
      drop_recent_runs(false);
    }
  });
  std::vector<std::thread> owners;
  for (int t = 0; t < 2; ++t) {
    owners.emplace_back([t] {
      for (size_t i = 0; i < 20'000; ++i) {
        auto* p = static_cast<size_t*>(allocate(kLarge + i % 3 * kPageSize));
        *p = i * 2 + static_cast<size_t>(t);
        auto* q = static_cast<size_t*>(allocate(kLarge));
        *q = i;
        ASSERT_EQ(*p, i * 2 + static_cast<size_t>(t)) << "a block with two owners";
        deallocate(p);
        deallocate(q);
      }
    });
  }
  for (std::thread& owner : owners) {
    owner.join();
  }
  end.store(true);
  thief.join();
  HeapStats s = stats();
  EXPECT_EQ(s.heap_objects, s.mallocs - s.frees);
  verify();
}

TEST(RecentRuns, ThreadsThatEndLeaveTheirCounts) {
  HeapStats before = stats();
  std::thread([] {
    for (int i = 0; i < 100; ++i) {
      deallocate(allocate(kLarge));
    }
  }).join();
  HeapStats after = stats();
  EXPECT_GE(after.mallocs - before.mallocs, 100U);
  EXPECT_EQ(after.mallocs - before.mallocs, after.frees - before.frees);
  EXPECT_EQ(after.large_objects, before.large_objects);
}

int64_t g_distance = INT64_MAX;
size_t g_sampled = 0;

constexpr ProfilerHooks kCountingHooks = {
    .next_sample_distance = [] { return g_distance; },
    .sampled_alloc =
        [](void* /*block*/, size_t /*size*/) {
          ++g_sampled;
          return true;
        },
    .sampled_free = [](void* /*block*/) { --g_sampled; },
    .capture_stack = nullptr,
};

TEST(RecentRuns, TheyAreSampledAsOthersAre) {
  deallocate(allocate(kLarge));
  g_distance = 10 * static_cast<int64_t>(PageCount::for_bytes(kLarge).bytes());
  install_profiler_hooks(&kCountingHooks);
  size_t seen = 0;
  for (int i = 0; i < 1000; ++i) {
    void* p = allocate(kLarge);
    seen += g_sampled;
    deallocate(p);
    ASSERT_EQ(g_sampled, 0U) << "the profile hears of the free";
  }
  EXPECT_EQ(seen, 100U);
  g_distance = INT64_MAX;
  refresh_sampling();
  install_profiler_hooks(nullptr);
}

// Exits with 3 when one address came twice.
void free_twice_and_take() {
  void* p = allocate(kLarge);
  deallocate(p);
  deallocate(p);
  void* first = allocate(kLarge);
  std::_Exit(first == allocate(kLarge) ? 3 : 0);
}

TEST(RecentRunsDeathTest, MisuseOfAKeptRunEndsTheProgram) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  void* p = allocate(kLarge);
  EXPECT_DEATH(free_twice_and_take(), "double free.*class large");
  EXPECT_DEATH((deallocate(p), (void)reallocate(p, 10)), "double free.*class large");
  EXPECT_DEATH((deallocate(p), (void)reallocate(p, 10 * kLarge)), "double free.*class large");
  EXPECT_DEATH((deallocate(p), (void)usable_size(p)), "usable_size of a free block");
  EXPECT_DEATH((deallocate(p), deallocate_sized(p, kLarge, 16, SizeRule::kExact)), "double free");
  EXPECT_DEATH((deallocate(p), deallocate(static_cast<char*>(p) + kPageSize)), "invalid free");
  EXPECT_DEATH(
      {
        deallocate(p);
        std::thread([p] { deallocate(p); }).join();
      },
      "double free.*class large");
  deallocate(p);
}

TEST(RecentRunsDeathTest, WithoutTheirStateOneAddressWouldHaveTwoOwners) {
  EXPECT_EXIT(
      {
        g_faults.runs_stay_live = true;
        free_twice_and_take();
      },
      testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace burrow::heap
