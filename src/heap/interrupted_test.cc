// What a signal handler may do between the fast path's refusal and the slow path, played by hand:
// the window is a few instructions wide. See mcache.h.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/mcache.h"
#include "heap/stats.h"

namespace burrow::heap {
namespace {

constexpr size_t kSize = 64;

uint64_t mallocs() {
  HeapStats s;
  read_stats(s);
  return s.mallocs;
}

// The fast path finds blocks but no credit: what it leaves behind.
void* refused_for_credit() {
  std::vector<void*> blocks;
  for (int i = 0; i < 8; ++i) {
    blocks.push_back(allocate(kSize));
  }
  for (void* p : blocks) {
    deallocate(p);
  }
  {
    CacheHold hold;
    t_heap.cache->revoke_credit();
  }
  void* popped = nullptr;
  EXPECT_FALSE(pop_block(slot_for_size(kSize), popped));
  EXPECT_NE(popped, bottom_block());
  return popped;
}

TEST(Interrupted, BlocksThatAHandlerTookAreNotDamaged) {
  void* popped = refused_for_credit();
  void* handlers = nullptr;
  ASSERT_TRUE(pop_block(slot_for_size(kSize), handlers));
  ASSERT_EQ(handlers, popped);
  std::memset(handlers, 0x5A, kSize);
  void* p = allocate_slow(kSize, popped);
  EXPECT_NE(p, handlers);
  deallocate(p);
  deallocate(handlers);
  verify();
}

TEST(Interrupted, WhatAHandlerTookIsCountedAndCreditEndsAgain) {
  uint64_t before = mallocs();
  void* popped = refused_for_credit();
  uint64_t allocated = 8;
  std::vector<void*> blocks;
  for (int i = 0; i < 3; ++i) {
    blocks.push_back(allocate(kSize));
  }
  blocks.push_back(allocate_slow(kSize, popped));
  allocated += blocks.size();
  EXPECT_EQ(mallocs() - before, allocated);
  // Otherwise the next look of the slow path, and with it the next sample, never came.
  EXPECT_LT(slot_at(t_heap.cache, slot_for_size(kSize)).credit, uint64_t{1} << 62);
  for (void* p : blocks) {
    deallocate(p);
  }
  verify();
}

// What a handler frees in the middle of a slow path.
TEST(Interrupted, BlocksThatAHandlerFreesGoHomeAtTheEnd) {
  std::vector<void*> blocks;
  for (size_t i = 0; i < 100; ++i) {
    blocks.push_back(allocate(i % 3 == 0 ? 100'000 : kSize));
  }
  begin_slow();
  for (void* p : blocks) {
    deallocate(p);
  }
  end_slow();
  for (size_t i = 1; i < 100; i += 3) {
    EXPECT_DEATH(deallocate(blocks[i]), "double free") << i;
  }
  verify();
}

TEST(Interrupted, WhatAHandlerFreesTwiceOrWronglyIsFound) {
  char* p = static_cast<char*>(allocate(kSize));
  char* large = static_cast<char*>(allocate(100'000));
  void* gone = allocate(kSize);
  deallocate(gone);
  void* never = span_of(p)->block(span_of(p)->fresh_index());
  begin_slow();
  EXPECT_DEATH(deallocate(gone), "double free");
  EXPECT_DEATH(deallocate(never), "invalid free");
  EXPECT_DEATH(deallocate(p + 16), "invalid free");
  EXPECT_DEATH(deallocate(large + 8), "invalid free");
  deallocate(p);
  deallocate(large);
  EXPECT_DEATH(deallocate(p), "double free");
  EXPECT_DEATH(deallocate(large), "double free");
  end_slow();
  verify();
}

TEST(Interrupted, ADamagedBlockIsStillFound) {
  void* p = allocate(kSize);
  deallocate(p);
  EXPECT_DEATH(
      {
        *static_cast<uintptr_t*>(p) = 1;
        p = allocate(kSize);
      },
      "write after free");
}

}  // namespace
}  // namespace burrow::heap
