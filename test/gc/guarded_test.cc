// Guarded blocks of hardened mode among the roots: Burrow takes the access from them itself. Run
// with hardened=1,guard=1.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "burrow/gc.h"
#include "roots.h"
#ifdef BURROW_TEST_FAULTS
#include "gc/faults.h"
#endif

namespace {

using roots::collect_elsewhere;

constexpr int kBlocks = 100;  // fewer than there are guards

// Not to be reached from anywhere that the collector looks.
volatile uintptr_t g_hidden[kBlocks];

char* block(int i) {
  return reinterpret_cast<char*>(~g_hidden[i]);
}

[[gnu::noinline]] void fill() {
  for (int i = 0; i < kBlocks; ++i) {
    // Of one page and of several.
    void* p = malloc(static_cast<size_t>(64 + i * 500));
    roots::put(p);
    g_hidden[i] = ~reinterpret_cast<uintptr_t>(p);
  }
}

[[gnu::noinline]] void free_all() {
  for (int i = 0; i < kBlocks; ++i) {
    free(block(i));
  }
}

void read_freed() {
  fill();
  free_all();
  (void)!*static_cast<volatile char*>(block(0));
}

TEST(Guarded, FreedOnesMayNotBeRead) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(read_freed(), "use after free: touch of");
}

TEST(Guarded, LiveOnesKeepObjects) {
  fill();
  collect_elsewhere();
  for (int i = 0; i < kBlocks; ++i) {
    EXPECT_TRUE(roots::kept(block(i))) << i;
  }
  free_all();
}

void collect_freed() {
  fill();
  free_all();
  collect_elsewhere();
}

TEST(Guarded, FreedOnesAreNotRead) {
  collect_freed();
}

TEST(Guarded, BesideCycles) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    for (int i = 0; i < 20; ++i) {
      burrow::collect();
    }
    done = true;
  });
  while (!done) {
    fill();
    free_all();
  }
  collector.join();
}

#ifdef BURROW_TEST_FAULTS
void collect_freed_as_if_open() {
  burrow::gc::g_faults.no_access_notes = true;
  collect_freed();
}

TEST(Guarded, TheTestWouldNoticeThatTheyAreRead) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(collect_freed_as_if_open(), testing::KilledBySignal(SIGSEGV), "");
}
#endif

}  // namespace
