// When the scavenger gives pages back, and its thread. See mheap.h, "Scavenger".
#include "heap/scavenger.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "heap/faults.h"
#include "heap/heap.h"
#include "heap/mheap.h"
#include "os/os.h"
#include "os/thread.h"

namespace burrow::heap {
namespace {

constexpr size_t kMuch = 64 * kMiB;

void use_much() {
  void* p = allocate(kMuch);
  std::memset(p, 1, kMuch);
  deallocate(p);
}

TEST(Scavenger, MemoryInDailyUseStays) {
  use_much();
  size_t before = g_mheap.figures().released_total;
  // Several epochs; the memory is idle whenever the scavenger could look, but not in between.
  for (int64_t end = os::monotonic_ns() + 500'000'000; os::monotonic_ns() < end;) {
    void* p = allocate(kMuch);
    os::sleep_ms(1);
    deallocate(p);
  }
  EXPECT_EQ(g_mheap.figures().released_total, before);
}

size_t idle_bytes() {
  return g_mheap.figures().free_backed;
}

// 64 MiB in pieces of 200 kB, as a program has them that reads files.
void use_many() {
  std::vector<void*> pieces(kMuch / 200'000);
  for (void*& p : pieces) {
    p = allocate(200'000);
    std::memset(p, 1, 200'000);
  }
  for (void* p : pieces) {
    deallocate(p);
  }
}

constexpr size_t kMostIdle = 8 * kMiB;

// In fresh processes: what the heap learned from earlier tests counts in a child of theirs.
class ScavengerDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(ScavengerDeathTest, AFreeGivesBackAtOnceWhereNoThreadDoes) {
  ASSERT_FALSE(scavenger_runs());
  EXPECT_EXIT((use_many(), std::_Exit(idle_bytes() <= kMostIdle ? 3 : 0)),
              testing::ExitedWithCode(3), "");
  EXPECT_EXIT((use_much(), std::_Exit(idle_bytes() <= kMostIdle ? 3 : 0)),
              testing::ExitedWithCode(3), "");
  EXPECT_EXIT(
      {
        void* p = allocate(kMuch);
        std::memset(p, 1, kMuch);
        p = reallocate(p, kMiB);
        std::_Exit(idle_bytes() <= kMostIdle ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
  EXPECT_EXIT(
      {
        g_faults.no_early_release = true;
        use_many();
        std::_Exit(idle_bytes() > kMuch / 2 ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
}

// Bytes that went back while the same memory was freed and taken again `rounds` times.
size_t gone_in(int rounds) {
  size_t before = g_mheap.figures().released_total;
  for (int i = 0; i < rounds; ++i) {
    use_many();
  }
  return g_mheap.figures().released_total - before;
}

TEST_F(ScavengerDeathTest, MemoryThatGoesBackAndForthStays) {
  EXPECT_EXIT(std::_Exit(gone_in(20) < 10 * kMuch ? 3 : 0), testing::ExitedWithCode(3), "");
  EXPECT_EXIT(
      {
        g_faults.no_regret = true;
        std::_Exit(gone_in(20) > 10 * kMuch ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
}

// Whether idle memory that no free gave back goes while the program allocates small blocks, of
// which none empties a span.
bool goes_in_passing() {
  std::vector<void*> kept(20'000);
  for (void*& p : kept) {
    p = allocate(64);
  }
  for (size_t i = 0; i < kept.size(); i += 2) {
    deallocate(kept[i]);
  }
  void* p = allocate(6 * kMiB);
  std::memset(p, 1, 6 * kMiB);
  deallocate(p);
  size_t before = idle_bytes();
  for (int look = 0; look < 20 && idle_bytes() == before; ++look) {
    os::sleep_ms(60);
    for (int round = 0; round < 20; ++round) {
      for (size_t i = 0; i < kept.size(); i += 2) {
        kept[i] = allocate(64);
      }
      for (size_t i = 0; i < kept.size(); i += 2) {
        deallocate(kept[i]);
      }
    }
  }
  return idle_bytes() < before;
}

TEST_F(ScavengerDeathTest, SlowPathsThatFreeNoSpanGiveBackToo) {
  EXPECT_EXIT(std::_Exit(goes_in_passing() ? 3 : 0), testing::ExitedWithCode(3), "");
  EXPECT_EXIT(
      {
        g_faults.no_passing_looks = true;
        std::_Exit(goes_in_passing() ? 0 : 3);
      },
      testing::ExitedWithCode(3), "");
}

TEST(Scavenger, ItsThreadGivesBackWhatIsIdleAndEndsWhenAsked) {
  EXPECT_FALSE(scavenger_runs());
  start_scavenger();
  ASSERT_TRUE(scavenger_runs());
  size_t threads = os::own_threads();
  for (int round = 0; round < 2; ++round) {
    use_much();
    int64_t end = os::monotonic_ns() + int64_t{60} * 1'000'000'000;
    while (g_mheap.figures().free_backed > kMuch / 8 && os::monotonic_ns() < end) {
      os::sleep_ms(5);
    }
    EXPECT_LE(g_mheap.figures().free_backed, kMuch / 8);
  }
  end_scavenger();
  EXPECT_FALSE(scavenger_runs());
  EXPECT_EQ(os::own_threads(), threads - 1);
  start_scavenger();
  EXPECT_FALSE(scavenger_runs()) << "it ends for good";
  verify();
}

}  // namespace
}  // namespace burrow::heap
