// Pages of half-used spans that go back to the OS. See blank.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "heap/faults.h"
#include "heap/heap.h"
#include "heap/mcentral.h"
#include "heap/mheap.h"
#include "heap/mspan.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr size_t kBlock = 128;
constexpr size_t kBlocks = 8 * kMiB / kBlock;

// 8 MiB of blocks, of which every 64th stays: one to 8 KiB.
struct Sparse {
  std::vector<char*> all = std::vector<char*>(kBlocks);

  Sparse() {
    for (char*& p : all) {
      p = static_cast<char*>(allocate(kBlock));
      std::memset(p, 1, kBlock);
    }
    for (size_t i = 0; i < all.size(); ++i) {
      if (!stays(i)) {
        deallocate(all[i]);
      }
    }
  }

  ~Sparse() {
    for (size_t i = 0; i < all.size(); i += 64) {
      deallocate(all[i]);
    }
  }

  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;

  static bool stays(size_t i) { return i % 64 == 0; }

  // A freed block whose page went back; null: none did.
  [[nodiscard]] char* blank() const {
    auto at = std::ranges::find_if(all, [this](char* const& p) {
      const MSpan* span = stays(static_cast<size_t>(&p - all.data())) ? nullptr : span_of(p);
      return span != nullptr && span->state == SpanState::kSmall && span->is_blank(p);
    });
    return at == all.end() ? nullptr : *at;
  }
};

TEST(BlankPages, OfSparseSpansGoBackInPassing) {
  (void)release_memory();
  size_t gone = g_mheap.figures().released_total;
  Sparse sparse;
  // Half of the OS's pages hold none of the blocks that stay.
  EXPECT_GT(g_mheap.figures().released_total - gone, 2 * kMiB);
  for (size_t i = 0; i < sparse.all.size(); i += 64) {
    ASSERT_TRUE(std::all_of(sparse.all[i], sparse.all[i] + kBlock, [](char c) { return c == 1; }));
  }
  ASSERT_NE(sparse.blank(), nullptr);
  EXPECT_EQ(*sparse.blank(), 0);
  verify();
}

TEST(BlankPages, ServeAgain) {
  Sparse sparse;
  ASSERT_NE(sparse.blank(), nullptr);
  std::vector<char*> more(kBlocks);
  for (char*& p : more) {
    p = static_cast<char*>(allocate(kBlock));
    std::memset(p, 2, kBlock);
  }
  EXPECT_EQ(sparse.blank(), nullptr) << "all of them are in use again";
  verify();
  std::vector<char*> every = more;
  for (size_t i = 0; i < sparse.all.size(); i += 64) {
    every.push_back(sparse.all[i]);
    ASSERT_EQ(sparse.all[i][kBlock - 1], 1);
  }
  std::ranges::sort(every);
  EXPECT_EQ(std::ranges::adjacent_find(every), every.end());
  for (char* p : more) {
    deallocate(p);
  }
  verify();
}

TEST(BlankPages, OfAnySizeUnderARandomHistory) {
  std::mt19937 random(11);
  size_t gone = g_mheap.figures().released_total;
  for (size_t size : {16, 48, 112, 320, 1152, 3072, 5120, 10240, 28672}) {
    std::vector<unsigned char*> live;
    for (int round = 0; round < 6; ++round) {
      while (live.size() * size < 8 * kMiB) {
        live.push_back(static_cast<unsigned char*>(allocate(size)));
        std::memset(live.back(), static_cast<int>(size % 251), size);
      }
      std::ranges::shuffle(live, random);
      while (live.size() > 8 * kMiB / size / 200) {
        const unsigned char* p = live.back();
        ASSERT_TRUE(std::all_of(p, p + size, [size](int c) { return c == int(size % 251); }));
        deallocate(live.back());
        live.pop_back();
      }
      // A class that rests.
      central_of(class_for(size)).age(SIZE_MAX);
      central_of(class_for(size)).age(SIZE_MAX);
      verify();
    }
    for (unsigned char* p : live) {
      deallocate(p);
    }
  }
  EXPECT_GT(g_mheap.figures().released_total, gone);
}

TEST(BlankPages, OfOtherThreadsBlocks) {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([t] {
      std::mt19937 random(t);
      std::vector<char*> blocks(40'000);
      for (int round = 0; round < 4; ++round) {
        for (char*& p : blocks) {
          if (p == nullptr) {
            p = static_cast<char*>(allocate(kBlock));
            std::memset(p, static_cast<int>(t) + 1, kBlock);
          }
        }
        for (char*& p : blocks) {
          ASSERT_EQ(p[kBlock / 2], static_cast<char>(t + 1));
          if (random() % 100 != 0) {
            deallocate(p);
            p = nullptr;
          }
        }
      }
      for (char* p : blocks) {
        deallocate(p);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  verify();
}

// Exits with 3 when a free of what is free already was accepted and one address came twice.
void free_blank_twice() {
  Sparse sparse;
  char* p = sparse.blank();
  if (p == nullptr) {
    std::_Exit(1);
  }
  (void)allocate(kBlock);  // its magazine has room now
  deallocate(p);
  std::vector<void*> more(2 * kBlocks);
  for (void*& block : more) {
    block = allocate(kBlock);
  }
  std::_Exit(std::ranges::count(more, static_cast<void*>(p)) > 1 ? 3 : 0);
}

TEST(BlankPagesDeathTest, MisuseEndsTheProgram) {
  EXPECT_DEATH(free_blank_twice(), "double free.*128 bytes");
  EXPECT_DEATH(
      {
        Sparse sparse;
        (void)reallocate(sparse.blank(), 10);
      },
      "double free");
  EXPECT_DEATH(
      {
        Sparse sparse;
        (void)usable_size(sparse.blank());
      },
      "usable_size of a free block");
  EXPECT_DEATH(
      {
        Sparse sparse;
        deallocate_sized(sparse.blank(), kBlock, 1, SizeRule::kExact);
      },
      "double free");
  EXPECT_DEATH(
      {
        Sparse sparse;
        deallocate(sparse.blank() + 16);
      },
      "invalid free");
  EXPECT_DEATH(
      {
        Sparse sparse;
        *sparse.blank() = 1;
        for (size_t i = 0; i < 2 * kBlocks; ++i) {
          (void)allocate(kBlock);
        }
      },
      "write after free");
}

TEST(BlankPagesDeathTest, WithTheirEntriesOneAddressWouldHaveTwoOwners) {
  EXPECT_EXIT(
      {
        g_faults.blank_entries = true;
        free_blank_twice();
      },
      testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace burrow::heap
