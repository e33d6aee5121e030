// The heap through its own interface: contents, alignment, figures, sampling. See heap.h.
#include "heap/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "base/bits.h"
#include "heap/arena.h"
#include "heap/faults.h"
#include "heap/hooks.h"
#include "heap/mspan.h"
#include "heap/recent_runs.h"
#include "heap/size_classes.h"
#include "heap/stats.h"

namespace burrow::heap {
namespace {

HeapStats stats() {
  HeapStats s;
  read_stats(s);
  return s;
}

TEST(Heap, BlocksOfEverySizeAreAlignedUsableAndApart) {
  std::map<uintptr_t, size_t> live;
  for (size_t size = 0; size < 70000; size += size < 2000 ? 1 : 61) {
    void* p = allocate(size);
    ASSERT_NE(p, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(p) % 16, 0U) << size;
    ASSERT_GE(usable_size(p), size);
    std::memset(p, 0xAB, usable_size(p));
    auto [it, added] = live.emplace(reinterpret_cast<uintptr_t>(p), usable_size(p));
    ASSERT_TRUE(added);
    if (it != live.begin()) {
      auto before = std::prev(it);
      ASSERT_LE(before->first + before->second, it->first);
    }
  }
  verify();
  for (auto [p, size] : live) {
    deallocate(reinterpret_cast<void*>(p));
  }
  verify();
}

TEST(Heap, A24ByteRequestTakesThe32ByteClass) {
  void* p = allocate(24);
  EXPECT_EQ(usable_size(p), 32U);
  deallocate(p);
}

TEST(Heap, AlignmentsUpToManyPages) {
  for (size_t alignment = 1; alignment <= 8 * kMiB; alignment *= 2) {
    for (size_t size : {size_t{1}, size_t{100}, size_t{5000}, size_t{100000}}) {
      void* p = allocate_aligned(alignment, size);
      ASSERT_NE(p, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % alignment, 0U);
      std::memset(p, 1, size);
      deallocate(p);
    }
  }
  verify();
}

TEST(Heap, ZeroedBlocksAreZeroAfterDirtyOnes) {
  for (size_t size : {8, 100, 1000, 5000, 40000, 3000000}) {
    for (int round = 0; round < 20; ++round) {
      auto* dirty = static_cast<unsigned char*>(allocate(size));
      std::memset(dirty, 0xFF, size);
      deallocate(dirty);
      auto* p = static_cast<unsigned char*>(allocate_zeroed(size));
      for (size_t i = 0; i < size; ++i) {
        ASSERT_EQ(p[i], 0) << size;
      }
      std::memset(p, 0xFF, size);
      deallocate(p);
    }
  }
}

TEST(Heap, ReallocateKeepsContents) {
  std::mt19937_64 random(7);
  auto* p = static_cast<unsigned char*>(allocate(1));
  size_t size = 1;
  p[0] = 0;
  for (int step = 0; step < 300; ++step) {
    size_t next = 1 + random() % (step % 3 == 0 ? 8000000 : 3000);
    p = static_cast<unsigned char*>(reallocate(p, next));
    ASSERT_NE(p, nullptr);
    for (size_t i = 0; i < std::min(size, next); ++i) {
      ASSERT_EQ(p[i], static_cast<unsigned char>(i * 31)) << step;
    }
    for (size_t i = 0; i < next; ++i) {
      p[i] = static_cast<unsigned char>(i * 31);
    }
    size = next;
  }
  deallocate(p);
  verify();
}

TEST(Heap, FiguresFollowWhatIsAllocated) {
  HeapStats before;
  read_stats(before);
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(allocate(100));
  }
  void* large = allocate(1000000);
  HeapStats during = stats();
  EXPECT_EQ(during.mallocs - before.mallocs, 1001U);
  EXPECT_EQ(during.frees, before.frees);
  EXPECT_EQ(during.heap_objects - before.heap_objects, 1001U);
  size_t large_bytes = round_up(size_t{1000000}, kPageSize);
  EXPECT_EQ(during.alloc - before.alloc, 1000 * 112 + large_bytes);
  EXPECT_EQ(during.large_objects - before.large_objects, 1U);
  EXPECT_GE(during.heap_inuse, during.alloc - during.large_bytes);
  for (void* p : blocks) {
    deallocate(p);
  }
  deallocate(large);
  HeapStats after;
  read_stats(after);
  EXPECT_EQ(after.alloc, before.alloc);
  EXPECT_EQ(after.frees - before.frees, 1001U);
  EXPECT_EQ(after.sys, after.heap_sys + after.mspan_sys + after.mcache_sys + after.other_sys);
}

TEST(Heap, ThreadsThatEndGiveTheirCachesBack) {
  HeapStats before;
  read_stats(before);
  for (int round = 0; round < 200; ++round) {
    std::thread([] {
      std::vector<void*> blocks;
      for (size_t i = 0; i < 300; ++i) {
        blocks.push_back(allocate(i * 7));
      }
      for (void* p : blocks) {
        deallocate(p);
      }
    }).join();
  }
  HeapStats after;
  read_stats(after);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_EQ(after.alloc, before.alloc);
  EXPECT_LT(after.mcache_sys, before.mcache_sys + 512 * kKiB);
  verify();
}

TEST(Heap, BlocksFreedByOtherThreadsComeBack) {
  // A producer and a consumer of 2 million blocks must not hold more than some magazines of them.
  HeapStats before;
  read_stats(before);
  for (int round = 0; round < 200; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 10000; ++i) {
      blocks.push_back(allocate(64));
    }
    std::thread([&] {
      for (void* p : blocks) {
        deallocate(p);
      }
    }).join();
  }
  HeapStats after;
  read_stats(after);
  EXPECT_EQ(after.alloc, before.alloc);
  EXPECT_LT(after.heap_sys, before.heap_sys + 16 * kMiB);
}

TEST(Heap, ClassesThatAThreadLeavesGoHome) {
  (void)release_memory();
  auto use = [](size_t size, int count) {
    std::vector<void*> blocks;
    for (int i = 0; i < count; ++i) {
      blocks.push_back(allocate(size));
    }
    for (void* p : blocks) {
      deallocate(p);
    }
  };
  use(20000, 64);
  EXPECT_GT(stats().cached_bytes, 256 * kKiB);
  for (int round = 0; round < 100; ++round) {
    use(64, 1000);
  }
  EXPECT_LT(stats().cached_bytes, 128 * kKiB);
  verify();
}

TEST(Heap, ReleaseGivesMemoryBackToTheSystem) {
  std::vector<void*> blocks;
  for (int i = 0; i < 100000; ++i) {
    blocks.push_back(allocate(1000));
    std::memset(blocks.back(), 1, 1000);
  }
  for (void* p : blocks) {
    deallocate(p);
  }
  EXPECT_TRUE(release_memory());
  HeapStats s = stats();
  EXPECT_LT(s.heap_sys - s.heap_released, s.heap_inuse + 4 * kMiB);
  EXPECT_LT(s.heap_inuse, 20 * kMiB);
}

// What is left in spans when a class that had 64 MiB has none.
size_t left_by_a_class() {
  (void)release_memory();
  size_t before = stats().heap_inuse;
  std::vector<void*> blocks(kMiB / 2);
  for (void*& p : blocks) {
    p = allocate(128);
  }
  for (void* p : blocks) {
    deallocate(p);
  }
  return stats().heap_inuse - before;
}

TEST(Heap, TheDepotOfAClassThatShrinksShrinks) {
  EXPECT_LT(left_by_a_class(), kMiB);
  (void)release_memory();
}

TEST(Heap, TheMemoryLimitHolds) {
  HeapStats s = stats();
  size_t held = s.heap_sys - s.heap_released;
  size_t old = set_memory_limit(held + 32 * kMiB);
  EXPECT_EQ(allocate(64 * kMiB), nullptr);
  std::vector<void*> blocks;
  for (;;) {
    void* p = allocate(10000);
    if (p == nullptr) {
      break;
    }
    blocks.push_back(p);
    ASSERT_LT(blocks.size(), 10000U);
  }
  EXPECT_GT(blocks.size(), 1000U);
  for (void* p : blocks) {
    deallocate(p);
  }
  void* p = allocate(16 * kMiB);
  EXPECT_NE(p, nullptr) << "the heap works on";
  deallocate(p);
  set_memory_limit(old);
}

TEST(Heap, BlankPagesBelongToNoSpan) {
  std::mt19937 random(7);
  std::vector<void*> blocks;
  for (int i = 0; i < 2000; ++i) {
    blocks.push_back(allocate(random() % (i % 40 == 0 ? 4'000'000 : 100'000)));
  }
  for (size_t i = 0; i < blocks.size(); i += 2) {
    deallocate(blocks[i]);
  }
  size_t blank = 0;
  size_t end = arena_committed().value;
  for (size_t page = 0; page < end;) {
    size_t count = blank_pages(PageId(page), std::min<size_t>(end - page, 100));
    ASSERT_EQ(count == 0, span_around(PageId(page)) != nullptr) << page;
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(span_around(PageId(page + i)), nullptr) << page;
    }
    blank += count;
    page += std::max<size_t>(count, 1);
  }
  EXPECT_GT(blank, 1000U);
  for (size_t i = 1; i < blocks.size(); i += 2) {
    deallocate(blocks[i]);
  }
}

TEST(Heap, HugeRequestsAreRefused) {
  for (size_t size : {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - kPageSize, size_t{PTRDIFF_MAX} + 1}) {
    EXPECT_EQ(allocate(size), nullptr);
    EXPECT_EQ(allocate_zeroed(size), nullptr);
    EXPECT_EQ(allocate_aligned(kPageSize, size), nullptr);
  }
  void* p = allocate(100);
  EXPECT_EQ(reallocate(p, SIZE_MAX / 2), nullptr);
  deallocate(p);
}

// --- sampling ---------------------------------------------------------------------------------

struct Samples {
  std::map<void*, size_t> live;
  uint64_t allocs = 0;
  uint64_t frees = 0;
  int64_t distance = INT64_MAX;
  std::mt19937_64 random{3};
};

Samples* g_samples;

constexpr ProfilerHooks kTestHooks = {
    .next_sample_distance =
        [] {
          if (g_samples->distance == INT64_MAX || g_samples->distance == 0) {
            return g_samples->distance;
          }
          double u = (static_cast<double>(g_samples->random() >> 11) + 1) * 0x1p-53;
          return static_cast<int64_t>(-std::log(u) * static_cast<double>(g_samples->distance));
        },
    .sampled_alloc =
        [](void* p, size_t size) {
          ++g_samples->allocs;
          return g_samples->live.emplace(p, size).second;
        },
    .sampled_free =
        [](void* p) {
          ++g_samples->frees;
          g_samples->live.erase(p);
        },
    .capture_stack = nullptr,
};

class SamplingTest : public testing::Test {
 protected:
  void SetUp() override {
    g_samples = &samples_;
    install_profiler_hooks(&kTestHooks);
  }

  void TearDown() override {
    samples_.distance = INT64_MAX;
    refresh_sampling();
    install_profiler_hooks(nullptr);
  }

  void set_distance(int64_t distance) {
    samples_.distance = distance;
    refresh_sampling();
    // The magazines that are loaded were charged at the old distance: use them up.
    std::vector<void*> blocks;
    for (int i = 0; i < 300; ++i) {
      blocks.push_back(allocate(64));
    }
    for (void* p : blocks) {
      deallocate(p);
    }
    samples_.allocs = samples_.frees = 0;
  }

  Samples samples_;
};

TEST_F(SamplingTest, AtDistanceZeroEveryAllocationIsSampled) {
  set_distance(0);
  std::vector<void*> blocks;
  for (int i = 0; i < 500; ++i) {
    blocks.push_back(allocate(64));
  }
  EXPECT_EQ(samples_.allocs, 500U);
  blocks.push_back(allocate(200000));
  EXPECT_EQ(samples_.allocs, 501U);
  EXPECT_EQ(samples_.live.size(), 501U);
  for (void* p : blocks) {
    deallocate(p);
  }
  EXPECT_EQ(samples_.frees, 501U);
  EXPECT_TRUE(samples_.live.empty());
  verify();
}

TEST_F(SamplingTest, AFreedSampleServesTheNextOne) {
  set_distance(0);
  void* first = allocate(64);
  void* second = allocate(64);
  deallocate(first);   // is kept
  deallocate(second);  // goes to its span: one is enough
  verify();
  HeapStats before;
  read_stats(before);
  for (int i = 0; i < 10; ++i) {
    void* p = allocate(64);
    EXPECT_EQ(p, first);
    EXPECT_EQ(*static_cast<uintptr_t*>(p), 0u);
    deallocate(p);
  }
  HeapStats after;
  read_stats(after);
  EXPECT_EQ(after.mallocs, before.mallocs + 10);
  EXPECT_EQ(after.frees, before.frees + 10);
  EXPECT_EQ(samples_.allocs, samples_.frees);
  EXPECT_DEATH(deallocate(first), "double free");
  EXPECT_DEATH(
      {
        *static_cast<uintptr_t*>(first) = 1;
        (void)allocate(64);
      },
      "write after free");
  release_memory();
  verify();
}

TEST_F(SamplingTest, ALoopOfMallocAndFreeIsSampledInProportion) {
  constexpr int64_t kMean = 10000;
  constexpr int kCount = 1'000'000;
  set_distance(kMean);
  for (int i = 0; i < kCount; ++i) {
    deallocate(allocate(64));
  }
  // Each of the blocks is hit with chance 1 - exp(-64/10000); five standard deviations.
  double expected = kCount * (1 - std::exp(-64.0 / kMean));
  EXPECT_NEAR(static_cast<double>(samples_.allocs), expected, 5 * std::sqrt(expected));
  EXPECT_EQ(samples_.frees, samples_.allocs);
}

TEST_F(SamplingTest, MixedSizesAreSampledByTheirBytes) {
  constexpr int64_t kMean = 20000;
  constexpr int kCount = 300'000;
  set_distance(kMean);
  std::mt19937_64 random(11);
  double expected = 0;
  std::vector<void*> live(256);
  for (int i = 0; i < kCount; ++i) {
    size_t size = size_t{8} << (random() % 9);
    expected += 1 - std::exp(-static_cast<double>(class_info(class_for(size)).size) / kMean);
    void*& slot = live[random() % live.size()];
    deallocate(slot);
    slot = allocate(size);
  }
  EXPECT_NEAR(static_cast<double>(samples_.allocs), expected, 5 * std::sqrt(expected));
  for (void* p : live) {
    deallocate(p);
  }
  EXPECT_TRUE(samples_.live.empty());
}

// --- misuse -----------------------------------------------------------------------------------

using HeapDeathTest = testing::Test;

// Places of a span where a block would start that was never handed out: the next one, the last one
// of the open page, the first one of a page that is not open, the last one of all, the rest behind.
std::vector<void*> never_handed_out(const MSpan* span) {
  std::vector<void*> places;
  size_t end = span->elem_count +
               (span->block(span->elem_count) < pointer_to(span->start + span->pages) ? 1 : 0);
  for (size_t index : {span->fresh_index(), size_t{span->marked} - 1, size_t{span->marked},
                       size_t{span->elem_count} - 1, end - 1}) {
    if (index >= span->fresh_index() && index < end) {
      places.push_back(span->block(index));
    }
  }
  return places;
}

TEST(HeapDeathTest, BlocksThatWereNeverHandedOutAreNotFreed) {
  size_t places = 0;
  for (size_t c = 1; c < kNumClasses; ++c) {
    void* p = allocate(kClasses[c].size);
    for (void* never : never_handed_out(span_of(p))) {
      ++places;
      // What sends a free to the slow path: no entry, or the mark.
      PageId page;
      ASSERT_TRUE(find_page(never, page));
      EXPECT_TRUE(entry_of_page(page) == 0 || is_marked(never)) << kClasses[c].size;
      if (c % 16 == 1) {
        EXPECT_DEATH(deallocate(never), "invalid free") << kClasses[c].size;
        EXPECT_DEATH(deallocate_sized(never, kClasses[c].size, 1, SizeRule::kExact),
                     "invalid free");
        EXPECT_DEATH((void)reallocate(never, 1), "invalid free");
        EXPECT_DEATH((void)usable_size(never), "usable_size of what is not the start");
      }
    }
    deallocate(p);
  }
  EXPECT_GT(places, kNumClasses);
  verify();
}

// Exits with 3 when a free of what was never handed out was accepted and one address came twice.
void hand_out_twice() {
  g_faults.no_marks_ahead = true;
  std::vector<void*> all;
  const MSpan* span = nullptr;  // one that was made since
  while (all.size() < 2 * kPageSize / 8 || span->fresh_index() == span->elem_count) {
    all.push_back(allocate(8));
    span = span_of(all.back());
  }
  deallocate(span->block(span->fresh_index()));
  for (size_t i = 0; i < 3 * kPageSize / 8; ++i) {
    all.push_back(allocate(8));
  }
  std::sort(all.begin(), all.end());
  std::_Exit(std::adjacent_find(all.begin(), all.end()) != all.end() ? 3 : 0);
}

TEST(HeapDeathTest, WithoutTheirMarksOneAddressWouldHaveTwoOwners) {
  EXPECT_EXIT(hand_out_twice(), testing::ExitedWithCode(3), "");
}

TEST(HeapDeathTest, ADepotThatDoesNotShrinkHoldsAnEighthOfWhatTheClassHad) {
  EXPECT_EXIT(
      {
        g_faults.depot_keeps = true;
        std::_Exit(left_by_a_class() > 4 * kMiB ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
}

TEST(HeapDeathTest, UsableSizeOfAFreeBlock) {
  void* p = allocate(48);
  deallocate(p);
  EXPECT_DEATH((void)usable_size(p), "malloc_usable_size of a free block");
}

TEST(HeapDeathTest, MisuseEndsWithOneLine) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto* p = static_cast<char*>(allocate(48));
  EXPECT_DEATH(deallocate(p + 16), "invalid free.*block 0x.*\\+16.*class 3 \\(48 bytes\\)");
  EXPECT_DEATH(deallocate(p + 1), "invalid free");
  int local = 0;
  EXPECT_DEATH(deallocate(&local), "invalid free.*not an address of Burrow's heap");
  EXPECT_DEATH(deallocate(reinterpret_cast<void*>(0xdeadbeefdeadbeef)), "invalid free");
  EXPECT_DEATH(
      {
        deallocate(p);
        deallocate(p);
      },
      "double free.*class 3");
  EXPECT_DEATH(
      {
        deallocate(p);
        p[0] = 1;
        for (int i = 0; i < 1000; ++i) {
          (void)allocate(48);
        }
      },
      "write after free.*class 3");
  EXPECT_DEATH(deallocate_sized(p, 200, 1, SizeRule::kExact), "wrong size 200.*class 3");
  auto* large = static_cast<char*>(allocate(100000));
  EXPECT_DEATH(deallocate(large + 8192), "invalid free.*class large");
  EXPECT_DEATH(
      {
        deallocate(large);
        deallocate(large);
      },
      "double free.*class large");
  void* larger = allocate(RecentRuns::kMost.bytes() + 1);
  EXPECT_DEATH(
      {
        deallocate(larger);
        deallocate(larger);
      },
      "invalid free.*in no live span");
  deallocate(larger);
  deallocate(p);
  deallocate(large);
}

}  // namespace
}  // namespace burrow::heap
