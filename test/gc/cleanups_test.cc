// Destructors and cleanups of what went: once, with all they reach, stopped or blocked.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

#include "burrow/gc.h"
#include "counted.h"
#include "gc/cleanup.h"

namespace burrow {
namespace {

TEST(Cleanups, DestructorsRunOnce) {
  g_destroyed = 0;
  on_own_thread([] {
    for (int i = 0; i < 1000; ++i) {
      make<Counted>();
    }
  });
  collect_all();
  EXPECT_EQ(g_destroyed, 1000);
  collect_all();
  EXPECT_EQ(g_destroyed, 1000);
}

TEST(Cleanups, DestructorsMayUseWhatTheyReach) {
  struct Owner {
    Node* node = make<Node>();

    Owner() { node->value = 42; }

    ~Owner() { g_destroyed += static_cast<int>(node->value); }
  };

  g_destroyed = 0;
  on_own_thread([] { make<Owner>(); });
  collect_all();
  EXPECT_EQ(g_destroyed, 42);
}

TEST(Cleanups, DestructorsMayAllocateAndCollect) {
  struct Busy {
    ~Busy() {
      for (int i = 0; i < 1000; ++i) {
        make<Node>();
      }
      collect();
      ++g_destroyed;
    }
  };

  g_destroyed = 0;
  on_own_thread([] { make<Busy>(); });
  collect_all();
  EXPECT_EQ(g_destroyed, 1);
}

TEST(Cleanups, RunAndCanBeStopped) {
  static std::atomic<int> sum{0};
  on_own_thread([] {
    add_cleanup(make<Node>(), [](int n) { sum += n; }, 1);
    Cleanup second = add_cleanup(make<Node>(), [](int n) { sum += n; }, 10);
    second.stop();
  });
  collect_all();
  EXPECT_EQ(sum, 1);
}

TEST(Cleanups, StoppedOnesAreDestroyed) {
  static std::atomic<int> ran{0};
  auto argument = std::make_shared<int>(1);
  constexpr int kCount = 10000;
  on_own_thread([&] {
    std::vector<Cleanup> cleanups;
    for (int i = 0; i < kCount; ++i) {
      cleanups.push_back(
          add_cleanup(make<Node>(), [](const std::shared_ptr<int>& n) { ran += *n; }, argument));
    }
    for (int i = 0; i < kCount; i += 2) {
      Cleanup copy = cleanups[static_cast<size_t>(i)];
      copy.stop();
      cleanups[static_cast<size_t>(i)].stop();  // does nothing more
    }
    EXPECT_EQ(argument.use_count(), 1 + kCount / 2);
  });
  collect_all();
  EXPECT_EQ(ran, kCount / 2);
  EXPECT_EQ(argument.use_count(), 1);
}

TEST(Cleanups, AStoppedOnesPlaceServesAnother) {
  static std::atomic<int> sum{0};
  on_own_thread([] {
    auto* object = make<Node>();
    Cleanup first = add_cleanup(object, [](int n) { sum += n; }, 1);
    Cleanup copy = first;
    first.stop();
    collect();  // comes across it
    collect();
    add_cleanup(object, [](int n) { sum += n; }, 10);
    copy.stop();  // not the second
    keep_alive(object);
  });
  collect_all();
  EXPECT_EQ(sum, 10);
}

TEST(Cleanups, ABlockedOneBlocksNoAllocation) {
  static std::atomic<bool> let_go{false};
  on_own_thread([] {
    add_cleanup(
        make<Node>(),
        [](int /*n*/) {
          while (!let_go) {
            usleep(1000);
          }
        },
        0);
  });
  wipe_stack();
  collect();
  for (int i = 0; i < 100000; ++i) {
    make<Node>();
  }
  collect();
  let_go = true;
  gc::drain_cleanups();
}

TEST(CleanupsDeathTest, ThrowingDestructorEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  struct Throws {
    ~Throws() noexcept(false) { throw std::runtime_error("from a destructor"); }
  };

  EXPECT_DEATH(
      {
        on_own_thread([] { make<Throws>(); });
        collect_all();
      },
      "from a destructor");
}

}  // namespace
}  // namespace burrow
