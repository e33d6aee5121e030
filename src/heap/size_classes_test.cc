// The size-class table beyond what its static_asserts say. See size_classes.h.
#include "heap/size_classes.h"

#include <gtest/gtest.h>

namespace burrow::heap {
namespace {

TEST(SizeClasses, EverySizeGetsTheSmallestClassThatHoldsIt) {
  for (size_t size = 0; size <= kMaxSmallSize; ++size) {
    SizeClass c = class_for(size);
    ASSERT_GE(class_info(c).size, size);
    if (c.value > 1) {
      ASSERT_LT(kClasses[c.value - 1].size, size) << size;
    }
  }
}

TEST(SizeClasses, WasteAbove128IsAtMostAnEighth) {
  for (size_t size = 129; size <= kMaxSmallSize; ++size) {
    size_t waste = class_info(class_for(size)).size - size;
    ASSERT_LE(waste * 8, class_info(class_for(size)).size) << size;
  }
}

TEST(SizeClasses, BlockIndexIsExactInsideASpan) {
  for (size_t i = 1; i < kNumClasses; ++i) {
    const ClassInfo& info = kClasses[i];
    for (size_t offset = 0; offset < info.pages * kPageSize; ++offset) {
      ASSERT_EQ(block_index(offset, info), offset / info.size) << info.size << " " << offset;
    }
  }
}

TEST(SizeClasses, MultiplesAreTold) {
  for (size_t i = 1; i < kNumClasses; ++i) {
    const ClassInfo& info = kClasses[i];
    for (uint64_t base : {uint64_t{0}, (uint64_t{1} << 40) / info.size - 5}) {
      for (uint64_t k = base; k < base + 5; ++k) {
        ASSERT_TRUE(is_multiple(k * info.size, info));
        ASSERT_FALSE(is_multiple(k * info.size + 1, info));
        ASSERT_FALSE(is_multiple(k * info.size + info.size - 1, info));
        ASSERT_FALSE(is_multiple(k * info.size + info.size / 2, info));
      }
    }
  }
}

TEST(SizeClasses, AlignedClassesAreMultiplesOfTheAlignment) {
  for (size_t alignment = 1; alignment <= kPageSize; alignment *= 2) {
    for (size_t size = 1; size <= kMaxSmallSize; size += 37) {
      SizeClass c = class_for_aligned(size, alignment);
      ASSERT_TRUE(bool(c));
      ASSERT_GE(class_info(c).size, size);
      ASSERT_EQ(class_info(c).size % alignment, 0U);
    }
  }
  EXPECT_FALSE(bool(class_for_aligned(16, 2 * kPageSize)));
  EXPECT_FALSE(bool(class_for_aligned(kMaxSmallSize + 1, 16)));
}

}  // namespace
}  // namespace burrow::heap
