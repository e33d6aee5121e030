// malloc's family by glibc's rules: contents, alignment, errno, corner cases.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <set>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

// Sizes on both sides of every kind of border: tiny, small, large, pages, huge pages.
const std::vector<size_t> kSizes = {0,     1,     7,     8,     9,      15,      16,
                                    17,    24,    31,    32,    100,    128,     129,
                                    1000,  1024,  1025,  4095,  4096,   8192,    10000,
                                    32767, 32768, 32769, 65536, 100000, 1 << 20, 3 << 20};
const std::vector<size_t> kHuge = {size_t{PTRDIFF_MAX} + 1, SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2,
                                   PTRDIFF_MAX};

TEST(UnderTest, TheHeapIsBurrows) {
  // glibc 2.36 has no free_sized; whoever defines it here is Burrow.
  EXPECT_TRUE(free_sized != nullptr || find("free_sized") != nullptr);
}

TEST(Malloc, EveryBlockIsUsableAlignedAndItsOwn) {
  std::vector<void*> blocks;
  for (size_t size : kSizes) {
    void* p = opaque(malloc(size));
    ASSERT_NE(p, nullptr) << size;
    EXPECT_TRUE(is_aligned(p, 16)) << size;
    EXPECT_GE(malloc_usable_size(p), size);
    fill(p, malloc_usable_size(p), static_cast<unsigned>(size));
    blocks.push_back(p);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(holds(blocks[i], kSizes[i], static_cast<unsigned>(kSizes[i]))) << kSizes[i];
    free(blocks[i]);
  }
}

// glibc promises 16 for every size, and compilers have believed it.
TEST(Malloc, TheSmallestBlocksAreAlignedTo16) {
  std::vector<void*> blocks;
  for (size_t size = 0; size <= 16; ++size) {
    for (int i = 0; i < 8; ++i) {
      void* news[] = {malloc(size), calloc(size, 1), realloc(nullptr, size), memalign(8, size),
                      aligned_alloc(8, size)};
      for (void* p : news) {
        EXPECT_TRUE(is_aligned(opaque(p), 16)) << size;
        blocks.push_back(p);
      }
    }
  }
  for (void* p : blocks) {
    free(p);
  }
}

TEST(Malloc, OfNothingIsABlockOfItsOwn) {
  std::set<void*> seen;
  for (int i = 0; i < 1000; ++i) {
    void* p = opaque(malloc(opaque<size_t>(0)));
    ASSERT_NE(p, nullptr);
    EXPECT_TRUE(seen.insert(p).second);
  }
  for (void* p : seen) {
    free(p);
  }
  void* zeroed = opaque(calloc(opaque<size_t>(0), 10));
  EXPECT_NE(zeroed, nullptr);
  free(zeroed);
}

TEST(Malloc, KeepsErrnoOnSuccess) {
  for (size_t size : kSizes) {
    EXPECT_EQ(errno_after([&] {
                void* p = opaque(malloc(size));
                p = opaque(realloc(p, size + 5000));
                p = opaque(reallocarray(p, size + 1, 3));
                free(p);
                free(opaque(calloc(size, 2)));
                free(opaque(aligned_alloc(64, size)));
                free(opaque(memalign(4096, size)));
                free(opaque(valloc(size)));
                free(opaque(pvalloc(size)));
                void* q = nullptr;
                if (posix_memalign(&q, 128, size) == 0) {
                  free(q);
                }
                free(nullptr);
                (void)malloc_trim(0);
                (void)mallinfo2();
              }),
              kUntouched)
        << size;
  }
}

TEST(Malloc, RefusesHugeSizesWithEnomem) {
  for (size_t size : kHuge) {
    void* p = this;
    auto fails = [&](const char* name, auto call) {
      EXPECT_EQ(errno_after([&] { p = opaque(call()); }), ENOMEM) << name << " " << size;
      EXPECT_EQ(p, nullptr) << name << " " << size;
    };
    size_t n = opaque(size);
    fails("malloc", [&] { return malloc(n); });
    fails("calloc", [&] { return calloc(n, 1); });
    fails("calloc", [&] { return calloc(1, n); });
    fails("aligned_alloc", [&] { return aligned_alloc(64, n); });
    fails("memalign", [&] { return memalign(8192, n); });
    fails("memalign", [&] { return memalign(8, n); });
    fails("valloc", [&] { return valloc(n); });
    fails("pvalloc", [&] { return pvalloc(n); });
    fails("realloc", [&] { return realloc(nullptr, n); });
    fails("reallocarray", [&] { return reallocarray(nullptr, 1, n); });
  }
}

TEST(Malloc, ProductsThatOverflowAreRefused) {
  void* block = opaque(malloc(100));
  fill(block, 100, 1);
  for (size_t count : {SIZE_MAX, SIZE_MAX / 2, (size_t{1} << 32) + 1, SIZE_MAX / 16 + 2}) {
    size_t size = opaque(size_t{1} << 32);
    EXPECT_EQ(errno_after([&] { EXPECT_EQ(opaque(calloc(count, size)), nullptr); }), ENOMEM);
    EXPECT_EQ(errno_after([&] { EXPECT_EQ(opaque(reallocarray(block, count, size)), nullptr); }),
              ENOMEM);
    EXPECT_TRUE(holds(block, 100, 1)) << "a refused reallocarray leaves the block alone";
  }
  free(block);
}

TEST(Calloc, GivesZeroesAlsoOnUsedMemory) {
  for (size_t size : kSizes) {
    for (int round = 0; round < 3; ++round) {
      void* dirty = opaque(malloc(size));
      memset(dirty, 0xff, size);
      free(dirty);
      auto* p = static_cast<unsigned char*>(opaque(calloc(1, size)));
      for (size_t i = 0; i < size; ++i) {
        ASSERT_EQ(p[i], 0) << size << " at " << i;
      }
      memset(p, 0xff, size);
      free(p);
    }
  }
}

TEST(Realloc, KeepsContentsBetweenAnyTwoSizes) {
  for (size_t from : kSizes) {
    for (size_t to : kSizes) {
      if (to == 0) {
        continue;
      }
      void* p = opaque(malloc(from));
      fill(p, from, 9);
      p = opaque(realloc(p, to));
      ASSERT_NE(p, nullptr);
      EXPECT_TRUE(holds(p, std::min(from, to), 9)) << from << " to " << to;
      EXPECT_GE(malloc_usable_size(p), to);
      EXPECT_TRUE(is_aligned(p, 16));
      memset(p, 1, to);
      free(p);
    }
  }
}

TEST(Realloc, OfNullAllocatesAndToNothingFrees) {
  void* p = opaque(realloc(nullptr, 50));
  ASSERT_NE(p, nullptr);
  size_t live = mallinfo2().uordblks;
  EXPECT_EQ(errno_after([&] { EXPECT_EQ(opaque(realloc(p, opaque<size_t>(0))), nullptr); }),
            kUntouched);
  EXPECT_LT(mallinfo2().uordblks, live) << "realloc(p, 0) must free";
  p = opaque(realloc(nullptr, opaque<size_t>(0)));
  EXPECT_NE(p, nullptr) << "as malloc(0)";
  EXPECT_EQ(opaque(reallocarray(p, 0, 10)), nullptr);
}

TEST(Realloc, FailureLeavesTheBlock) {
  for (size_t size : {size_t{100}, size_t{100000}, size_t{2} << 20}) {
    void* p = opaque(malloc(size));
    fill(p, size, 3);
    for (size_t huge : kHuge) {
      EXPECT_EQ(errno_after([&] { EXPECT_EQ(opaque(realloc(p, opaque(huge))), nullptr); }), ENOMEM);
    }
    EXPECT_TRUE(holds(p, size, 3));
    free(p);
  }
}

// Two blocks that grow in turns cannot grow in place for ever: mappings are moved, blocks that were
// moved grow in place, and move again.
TEST(Realloc, BlocksThatGrowInTurnsKeepTheirContents) {
  constexpr size_t kStep = 300'000;
  void* blocks[3] = {};
  size_t sizes[3] = {};
  for (int round = 0; round < 150; ++round) {
    int i = round % 7 == 0 ? 2 : round % 2;
    size_t next =
        sizes[i] > 40 * kStep ? kStep : sizes[i] + kStep + static_cast<size_t>(round) * 512;
    blocks[i] = opaque(realloc(blocks[i], next));
    ASSERT_NE(blocks[i], nullptr);
    ASSERT_TRUE(holds(blocks[i], std::min(sizes[i], next), static_cast<unsigned>(i))) << round;
    sizes[i] = next;
    fill(blocks[i], next, static_cast<unsigned>(i));
  }
  for (void* p : blocks) {
    free(p);
  }
}

size_t mappings() {
  FILE* file = fopen("/proc/self/maps", "re");
  size_t lines = 0;
  for (int c = getc(file); c != EOF; c = getc(file)) {
    lines += c == '\n' ? 1 : 0;
  }
  fclose(file);
  return lines;
}

// Moved memory keeps mappings of its own until it is freed; 65,530 is all that a process may have.
TEST(Realloc, BlocksThatMovedAndShrankLeaveNoMappings) {
  constexpr size_t kMiB = 1 << 20;
  size_t before = mappings();
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    void* p = opaque(malloc(kMiB));
    memset(p, 1, kMiB);
    blocks.push_back(opaque(malloc(kMiB)));
    p = opaque(realloc(p, 4 * kMiB));
    memset(p, 2, 4 * kMiB);
    blocks.push_back(opaque(malloc(kMiB)));
    p = opaque(realloc(p, 9 * kMiB));
    blocks.push_back(opaque(realloc(p, kMiB + 4096)));
  }
  for (void* p : blocks) {
    free(p);
  }
  EXPECT_LE(mappings(), before + 20);
}

TEST(Aligned, EveryPowerOfTwoIsKept) {
  for (size_t alignment = 1; alignment <= size_t{4} << 20; alignment *= 2) {
    for (size_t size : kSizes) {
      void* blocks[] = {opaque(memalign(alignment, size)), opaque(aligned_alloc(alignment, size)),
                        nullptr};
      if (alignment >= sizeof(void*)) {
        ASSERT_EQ(posix_memalign(&blocks[2], alignment, size), 0);
      }
      for (void* p : blocks) {
        EXPECT_TRUE(is_aligned(p, alignment)) << alignment << " " << size;
        EXPECT_TRUE(p == nullptr || malloc_usable_size(p) >= size);
        if (p != nullptr) {
          memset(p, 0xab, size);
        }
        free(p);
      }
    }
  }
}

TEST(Aligned, BadAlignmentsAreTreatedAsGlibcTreatsThem) {
  // memalign (and with it aligned_alloc, up to glibc 2.37) rounds up to a power of two.
  for (size_t alignment :
       {size_t{0}, size_t{3}, size_t{24}, size_t{48}, size_t{1000}, size_t{5000}}) {
    size_t rounded = 1;
    while (rounded < alignment) {
      rounded *= 2;
    }
    EXPECT_EQ(errno_after([&] {
                void* p = opaque(memalign(opaque(alignment), 100));
                EXPECT_TRUE(p != nullptr && is_aligned(p, rounded)) << alignment;
                free(p);
              }),
              kUntouched);
  }
  // What has no power of two above it.
  for (size_t alignment : {SIZE_MAX, SIZE_MAX / 2 + 2}) {
    void* p = this;
    EXPECT_EQ(errno_after([&] { p = opaque(memalign(opaque(alignment), 100)); }), EINVAL);
    EXPECT_EQ(p, nullptr);
    EXPECT_EQ(errno_after([&] { p = opaque(aligned_alloc(opaque(alignment), 100)); }), EINVAL);
    EXPECT_EQ(p, nullptr);
  }
  // A power of two that no address space has.
  EXPECT_EQ(
      errno_after([&] { EXPECT_EQ(opaque(memalign(opaque(SIZE_MAX / 2 + 1), 100)), nullptr); }),
      ENOMEM);
  EXPECT_EQ(
      errno_after([&] { EXPECT_EQ(opaque(memalign(opaque(size_t{1} << 46), 100)), nullptr); }),
      ENOMEM);
}

TEST(Aligned, PosixMemalignReturnsItsErrorsAndKeepsTheRest) {
  void* const before = this;
  for (size_t alignment :
       {size_t{0}, size_t{1}, size_t{2}, size_t{4}, size_t{12}, size_t{24}, SIZE_MAX}) {
    void* p = before;
    EXPECT_EQ(errno_after([&] { EXPECT_EQ(posix_memalign(&p, alignment, 100), EINVAL); }),
              kUntouched)
        << "the error is the result, not errno";
    EXPECT_EQ(p, before) << alignment;
  }
  for (size_t size : kHuge) {
    void* p = before;
    EXPECT_EQ(posix_memalign(&p, 64, size), ENOMEM);
    EXPECT_EQ(p, before);
  }
}

TEST(Aligned, VallocAndPvallocGiveWholePages) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (size_t size : kSizes) {
    void* p = opaque(valloc(size));
    EXPECT_TRUE(p != nullptr && is_aligned(p, page));
    free(p);
    p = opaque(pvalloc(size));
    EXPECT_TRUE(p != nullptr && is_aligned(p, page));
    size_t rounded = (size + page - 1) / page * page;
    EXPECT_GE(malloc_usable_size(p), rounded);
    memset(p, 1, rounded);
    free(p);
  }
}

TEST(Aligned, BlocksCanBeResized) {
  void* p = opaque(memalign(4096, 5000));
  fill(p, 5000, 4);
  p = opaque(realloc(p, 200000));
  EXPECT_TRUE(holds(p, 5000, 4));
  p = opaque(realloc(p, 10));
  EXPECT_TRUE(holds(p, 10, 4));
  free(p);
}

TEST(Sized, FreesTakeTheSizesThatWereAskedFor) {
  auto sized = reinterpret_cast<void (*)(void*, size_t)>(
      free_sized != nullptr ? reinterpret_cast<void*>(free_sized) : find("free_sized"));
  auto aligned = reinterpret_cast<void (*)(void*, size_t, size_t)>(
      free_aligned_sized != nullptr ? reinterpret_cast<void*>(free_aligned_sized)
                                    : find("free_aligned_sized"));
  ASSERT_TRUE(sized != nullptr && aligned != nullptr);
  sized(nullptr, 10);
  aligned(nullptr, 64, 10);
  size_t before = mallinfo2().uordblks;
  for (size_t size : kSizes) {
    sized(opaque(malloc(size)), size);
    sized(opaque(calloc(size, 1)), size);
    void* grown = opaque(realloc(opaque(malloc(size / 2 + 1)), size + 1));
    sized(grown, size + 1);
    void* shrunk = opaque(realloc(opaque(malloc(size * 2 + 1)), size + 1));
    sized(shrunk, size + 1);
    for (size_t alignment : {size_t{8}, size_t{16}, size_t{64}, size_t{4096}, size_t{65536}}) {
      aligned(opaque(aligned_alloc(alignment, size)), alignment, size);
    }
  }
  EXPECT_EQ(mallinfo2().uordblks, before);
}

TEST(UsableSize, OfNullIsNothingAndOfABlockIsStable) {
  EXPECT_EQ(malloc_usable_size(nullptr), 0U);
  for (size_t size : kSizes) {
    void* p = opaque(malloc(size));
    size_t usable = malloc_usable_size(p);
    EXPECT_EQ(malloc_usable_size(p), usable);
    // A block that fills what it may use stays where it is.
    if (usable > 0) {
      EXPECT_EQ(opaque(realloc(p, usable)), p);
    }
    free(p);
  }
}

TEST(Names, TheOldAndTheHiddenOnesAreTheSameHeap) {
  for (const char* name : {"cfree", "__libc_free"}) {
    auto f = reinterpret_cast<void (*)(void*)>(find(name));
    if (f == nullptr) {
      GTEST_SKIP() << "a static program exports nothing";
    }
    size_t before = mallinfo2().uordblks;
    f(opaque(malloc(1000)));
    EXPECT_EQ(mallinfo2().uordblks, before) << name;
  }
  auto libc_malloc = reinterpret_cast<void* (*)(size_t)>(find("__libc_malloc"));
  auto libc_calloc = reinterpret_cast<void* (*)(size_t, size_t)>(find("__libc_calloc"));
  auto libc_realloc = reinterpret_cast<void* (*)(void*, size_t)>(find("__libc_realloc"));
  auto libc_memalign = reinterpret_cast<void* (*)(size_t, size_t)>(find("__libc_memalign"));
  auto libc_valloc = reinterpret_cast<void* (*)(size_t)>(find("__libc_valloc"));
  auto libc_pvalloc = reinterpret_cast<void* (*)(size_t)>(find("__libc_pvalloc"));
  auto posix = reinterpret_cast<int (*)(void**, size_t, size_t)>(find("__posix_memalign"));
  free(libc_realloc(libc_malloc(10), 20000));
  free(libc_calloc(3, 30));
  free(libc_memalign(64, 30));
  free(libc_valloc(30));
  free(libc_pvalloc(30));
  void* p = nullptr;
  EXPECT_EQ(posix(&p, 64, 30), 0);
  free(p);
}

}  // namespace
}  // namespace heap_abi
