// The page allocator against a plain model. See page_allocator.h.
#include "heap/page_allocator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

#include "heap/arena.h"

namespace burrow::heap {
namespace {

class PageAllocatorTest : public testing::Test {
 protected:
  // The arena is the process's; each test continues behind the pages that earlier ones opened.
  void SetUp() override { arena_init(); }
};

TEST(PageBits, RangesAndRuns) {
  PageBits bits;
  EXPECT_EQ(bits.longest_clear_run(), kPagesPerChunk);
  bits.set_range(10, 100);
  EXPECT_EQ(bits.count(), 100U);
  EXPECT_EQ(bits.count_range(0, 20), 10U);
  EXPECT_EQ(bits.next_set(0), 10U);
  EXPECT_EQ(bits.next_clear(10), 110U);
  EXPECT_EQ(bits.longest_clear_run(), kPagesPerChunk - 110);
  EXPECT_EQ(bits.find_clear_run(10, 1), 0U);
  EXPECT_EQ(bits.find_clear_run(11, 1), 110U);
  EXPECT_EQ(bits.find_clear_run(11, 16), 112U);
  EXPECT_EQ(bits.find_clear_run(200, 1), kPagesPerChunk);
  bits.clear_range(60, 4);
  EXPECT_EQ(bits.count(), 96U);
  bits.set_range(0, kPagesPerChunk);
  EXPECT_EQ(bits.longest_clear_run(), 0U);
}

// One test drives one allocator through a long random history, because two allocators over one
// arena would hand out the same pages.
TEST_F(PageAllocatorTest, AgreesWithAModelOverARandomHistory) {
  PageAllocator pages;
  std::mt19937_64 random(42);
  std::map<size_t, size_t> live;  // start -> count
  size_t used = 0;
  for (int step = 0; step < 20000; ++step) {
    if (live.size() < 200 && random() % 3 != 0) {
      size_t count = random() % 10 == 0 ? 1 + random() % 1500 : 1 + random() % 40;
      size_t alignment = random() % 4 == 0 ? size_t{1} << (random() % 10) : 1;
      PageRun run;
      ASSERT_TRUE(pages.allocate(PageCount(count), alignment, run));
      ASSERT_EQ(run.pages.value, count);
      ASSERT_EQ(address_of(run.start) % (alignment * kPageSize), 0U);
      auto after = live.lower_bound(run.start.value);
      ASSERT_TRUE(after == live.end() || run.start.value + count <= after->first);
      if (after != live.begin()) {
        auto before = std::prev(after);
        ASSERT_LE(before->first + before->second, run.start.value);
      }
      // What the allocator calls clean must read as zero; every page is dirtied for the next.
      char* bytes = static_cast<char*>(pointer_to(run.start));
      if (!run.need_zero) {
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(bytes[i * kPageSize + 17], 0);
        }
      }
      for (size_t i = 0; i < count; ++i) {
        bytes[i * kPageSize + 17] = 1;
      }
      live[run.start.value] = count;
      used += count;
    } else if (!live.empty()) {
      auto it = std::next(live.begin(), static_cast<ptrdiff_t>(random() % live.size()));
      pages.free(PageId(it->first), PageCount(it->second));
      used -= it->second;
      live.erase(it);
    }
    if (step % 97 == 0) {
      size_t goal = 1 + random() % 2000;
      size_t before = pages.free_backed().value;
      size_t given = pages.scavenge(PageCount(goal), [] { return true; }).value;
      ASSERT_EQ(pages.free_backed().value, before - given);
      ASSERT_GE(given, std::min(goal, before));
    }
    if (step % 31 == 0) {
      pages.verify();
    }
    ASSERT_EQ(pages.used().value, used);
  }
  // Everything that is still out is intact.
  for (const auto& [start, count] : live) {
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(static_cast<char*>(pointer_to(PageId(start + i)))[17], 1);
    }
  }
  // Growing in place works exactly when the neighbours are free.
  auto last = std::prev(live.end());
  PageRun run;
  EXPECT_FALSE(pages.allocate_at(PageId(last->first), PageCount(1), run));
  for (auto& [start, count] : live) {
    pages.free(PageId(start), PageCount(count));
  }
  EXPECT_TRUE(pages.allocate_at(PageId(last->first), PageCount(1), run));
  pages.free(run.start, run.pages);
  EXPECT_EQ(pages.used().value, 0U);
  pages.verify();
}

}  // namespace
}  // namespace burrow::heap
