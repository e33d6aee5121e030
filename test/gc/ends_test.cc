// Pointers as loops leave them: just behind an object, in a stack or a register only.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>

#include "burrow/gc.h"
#include "burrow/go.h"
#include "roots.h"
#ifdef BURROW_TEST_FAULTS
#include "gc/faults.h"
#endif

namespace {

using roots::Thing;

constexpr int kPlaces = 32;
constexpr size_t kLarge = 100'000 / sizeof(Thing);

using Ends = std::array<Thing* volatile, kPlaces>;

// The end of one object; those around it are nobody's.
[[gnu::noinline]] void put_end(Thing* volatile& place) {
  for (int i = 0; i < 3; ++i) {
    roots::fresh();
  }
  place = roots::fresh() + 1;
  for (int i = 0; i < 3; ++i) {
    roots::fresh();
  }
}

[[gnu::noinline]] void put_large_end(Thing* volatile& place) {
  place = burrow::make_array<Thing>(kLarge) + kLarge;
}

// Objects that die during `meanwhile` although their ends are kept on the caller's stack.
[[gnu::noinline]] int lost(
    void (*put)(Thing* volatile&),
    const std::function<void()>& meanwhile = [] { roots::collect_elsewhere(); }) {
  Ends ends{};
  for (Thing* volatile& end : ends) {
    put(end);
    roots::wipe_stack();
  }
  meanwhile();
  int count = 0;
  for (Thing* volatile& end : ends) {
    Thing* thing = end - 1;
    count += roots::lives(thing) ? 0 : 1;
  }
  return count;
}

TEST(Ends, KeepAnObject) {
  EXPECT_EQ(lost(put_end), 0);
}

TEST(Ends, KeepALargeArray) {
  EXPECT_EQ(lost(put_large_end), 0);
}

TEST(Ends, KeepAnObjectOfAGoroutine) {
  int running = -1;
  int parked = -1;
  EXPECT_EQ(burrow::run([&] {
              running = lost(put_end);
              burrow::WaitGroup group;
              group.go([&] {
                parked = lost(put_end, [] { burrow::sleep_for(std::chrono::milliseconds(200)); });
              });
              burrow::sleep_for(std::chrono::milliseconds(50));
              roots::collect_elsewhere();
              group.wait();
              return 0;
            }),
            0);
  EXPECT_EQ(running, 0);
  EXPECT_EQ(parked, 0);
}

#ifdef BURROW_TEST_FAULTS
TEST(Ends, TheTestWouldNoticeThatTheyDoNot) {
  burrow::gc::g_faults.no_ends = true;
  EXPECT_GT(lost(put_end), 0);
  burrow::gc::g_faults.no_ends = false;
  EXPECT_EQ(lost(put_end), 0);
}
#endif

}  // namespace
