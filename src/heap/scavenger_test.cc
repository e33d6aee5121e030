// When the scavenger gives pages back, and its thread. See mheap.h, "Scavenger".
#include "heap/scavenger.h"

#include <gtest/gtest.h>

#include <cstring>

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
