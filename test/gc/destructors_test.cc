// In which order destructors and cleanups run, and what they hold back.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "burrow/gc.h"
#include "counted.h"
#include "gc/cleanup.h"
#include "gc/due_queue.h"
#include "gc/faults.h"
#include "gc/pacer.h"
#include "heap/mheap.h"

namespace burrow {
namespace {

// Numbers of what went, in order; written by one destructor or cleanup at a time.
std::vector<int>& went() {
  static std::vector<int> numbers;
  return numbers;
}

struct Named {
  void* points_to = nullptr;
  int number = 0;

  ~Named() { went().push_back(number); }
};

Named* named(int number, void* points_to = nullptr) {
  auto* object = make<Named>();
  object->number = number;
  object->points_to = points_to;
  return object;
}

std::vector<int> collect_in_order() {
  for (int i = 0; i < 3; ++i) {
    collect_all();
  }
  return std::exchange(went(), {});
}

using Numbers = std::vector<int>;

TEST(Destructors, AnObjectGoesBeforeWhatItPointsTo) {
  on_own_thread([] { named(3, named(2, named(1))); });
  EXPECT_EQ(collect_in_order(), (Numbers{3, 2, 1}));
  on_own_thread([] {
    Named* young = named(2);
    named(1)->points_to = young;
  });
  EXPECT_EQ(collect_in_order(), (Numbers{1, 2}));
}

struct Log {
  std::vector<std::string> lines;

  void add(const std::string& text) { lines.push_back(text + ", long enough for malloc"); }

  ~Log() { g_destroyed += static_cast<int>(lines.size()); }
};

struct Session {
  Log* log = nullptr;

  ~Session() { log->add("session ended"); }
};

TEST(Destructors, MayUseObjectsWithDestructors) {
  g_destroyed = 0;
  on_own_thread([] {
    for (int i = 0; i < 100; ++i) {
      Log* log = make<Log>();
      for (int k = 0; k < 10; ++k) {
        make<Session>()->log = log;
      }
    }
  });
  collect_in_order();
  EXPECT_EQ(g_destroyed, 1000);
}

TEST(Destructors, OrderHoldsThroughObjectsWithoutAny) {
  on_own_thread([] {
    auto* between = make<Node>();
    between->next = make<Node>();
    between->next->next = reinterpret_cast<Node*>(named(1));
    named(2, between);
  });
  EXPECT_EQ(collect_in_order(), (Numbers{2, 1}));
}

TEST(Destructors, OrderHoldsThroughMemoryOfMalloc) {
  struct Holder {
    std::vector<Named*> held;

    ~Holder() {
      for (const Named* one : held) {
        went().push_back(-one->number);
      }
    }
  };

  on_own_thread([] { make<Holder>()->held.assign(3, named(1, named(2))); });
  EXPECT_EQ(collect_in_order(), (Numbers{-1, -1, -1, 1, 2}));
}

TEST(Destructors, OrderHoldsThroughPointersToTheMiddle) {
  on_own_thread([] { named(2, &named(1)->number); });
  EXPECT_EQ(collect_in_order(), (Numbers{2, 1}));
}

TEST(Destructors, ALongListGoesInOneCollection) {
  constexpr int kLength = 100000;
  on_own_thread([] {
    Named* list = nullptr;
    for (int i = 0; i < kLength; ++i) {
      list = named(i, list);
    }
  });
  collect_all();
  Numbers order = std::exchange(went(), {});
  ASSERT_EQ(order.size(), kLength);
  EXPECT_TRUE(std::is_sorted(order.rbegin(), order.rend()));
}

TEST(Destructors, ACycleGoesYoungestFirst) {
  on_own_thread([] {
    Named* first = named(1);
    Named* third = named(3, named(2, first));
    first->points_to = third;
    named(4, first);  // outside of it
    third->points_to = named(5, third->points_to);
  });
  EXPECT_EQ(collect_in_order(), (Numbers{4, 5, 3, 2, 1}));
}

TEST(Destructors, CleanupsFollowWhatMayUseTheirObject) {
  on_own_thread([] {
    auto* file = make<Node>();
    add_cleanup(file, [](int n) { went().push_back(n); }, 10);
    Named* own = named(1, file);
    add_cleanup(own, [](int n) { went().push_back(n); }, 11);
    named(2, own);
  });
  EXPECT_EQ(collect_in_order(), (Numbers{2, 1, 11, 10}));
}

TEST(Destructors, AnObjectsCleanupStopsUntilItIsDue) {
  static std::atomic<int> ran{0};
  on_own_thread([] {
    Cleanup cleanup;
    auto* object = named(1);
    cleanup = add_cleanup(object, [](int n) { ran += n; }, 1);
    cleanup.stop();
  });
  EXPECT_EQ(collect_in_order(), (Numbers{1}));
  EXPECT_EQ(ran, 0);
}

// A destructor leaves a new object behind that points to one that is due.
TEST(Destructors, OrderHoldsOverSeveralCollections) {
  static std::atomic<bool> let_go{false};

  struct Blocks {
    Named* used = nullptr;

    ~Blocks() {
      while (!let_go) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      went().push_back(used->number);
    }
  };

  on_own_thread([] { make<Blocks>()->used = named(1, named(2)); });
  wipe_stack();
  for (int i = 0; i < 4; ++i) {
    collect();  // the others wait
    on_own_thread([] { named(9); });
  }
  EXPECT_TRUE(went().empty());
  let_go = true;
  Numbers order = collect_in_order();
  ASSERT_EQ(order.size(), 7);
  EXPECT_EQ(Numbers(order.begin(), order.begin() + 3), (Numbers{1, 1, 2}));
}

// A thread that allocates waits until all that is due has run, however long a runner takes to get a
// processor.
class Patience {
 public:
  Patience() { gc::g_cleanup_look_ns = int64_t{60} * 1'000'000'000; }

  ~Patience() { gc::g_cleanup_look_ns = look_ns_; }

  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

 private:
  int64_t look_ns_ = gc::g_cleanup_look_ns.load();
};

std::atomic<bool> g_all_made{false};

// Its destructor runs only while its maker waits for destructors: the least that a scheduler gives.
struct Starved {
  char pad[2000];

  ~Starved() {
    while (gc::g_cleanup_waiters == 0 && !g_all_made) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
};

[[gnu::noinline]] size_t most_due(int count) {
  size_t most = 0;
  g_all_made = false;
  on_own_thread([&] {
    Patience patience;
    for (int i = 0; i < count; ++i) {
      make<Starved>();
      most = std::max(most, gc::g_due.size());
    }
  });
  wipe_stack();
  collect();
  most = std::max(most, gc::g_due.size());
  g_all_made = true;
  gc::drain_cleanups();
  return most;
}

constexpr int kStarved = 64000;  // 125 MiB

// A program makes garbage faster than its destructors run: it waits for them. So what is due is
// what two or three cycles find, and the heap of this program gets to some ten MiB between two.
TEST(Destructors, WhatIsDueDoesNotPileUp) {
  EXPECT_LT(most_due(kStarved), kStarved * 3 / 4);
}

TEST(Destructors, WithoutWaitingItWould) {
  gc::g_faults.no_cleanup_wait = true;
  EXPECT_GT(most_due(kStarved), kStarved * 9 / 10);
  gc::g_faults.no_cleanup_wait = false;
}

std::mutex g_mutex;
std::atomic<int> g_locked{0};

struct Locks {
  char pad[64];

  ~Locks() {
    std::lock_guard hold(g_mutex);
    ++g_locked;
  }
};

// Who waits for destructors may hold what they wait for.
TEST(Destructors, MayTakeALockOfWhoAllocates) {
  constexpr int kMade = 300000;
  on_own_thread([] {
    for (int i = 0; i < 3; ++i) {
      std::lock_guard hold(g_mutex);
      for (int k = 0; k < kMade / 3; ++k) {
        make<Locks>();
      }
    }
  });
  collect_all();
  EXPECT_GT(g_locked, kMade * 9 / 10);
}

struct Buffer {
  std::string text;
};

// Each object is small; what it owns is not.
[[gnu::noinline]] size_t most_owned(int count) {
  Patience patience;
  size_t before = heap::g_mheap.manual_bytes();
  size_t most = 0;
  for (int i = 0; i < count; ++i) {
    make<Buffer>()->text.assign(size_t{256} * 1024, 'x');
    most = std::max(most, heap::g_mheap.manual_bytes() - before);
  }
  collect_all();
  return most;
}

TEST(Destructors, WhatGarbageOwnsBringsCollections) {
  constexpr int kMade = 1500;  // 375 MiB
  EXPECT_LT(most_owned(kMade), size_t{150} << 20);
}

TEST(Destructors, UncountedItWouldNot) {
  constexpr int kMade = 1500;
  gc::g_faults.no_owned_growth = true;
  EXPECT_GT(most_owned(kMade), size_t{250} << 20);
  gc::g_faults.no_owned_growth = false;
}

TEST(Destructors, AWeakPointerGivesNothingThatIsDue) {
  struct Pair {
    Weak<Named> weak;
    Named* strong = nullptr;

    ~Pair() { went().push_back(weak.get() == nullptr && strong->number == 1 ? 7 : 8); }
  };

  on_own_thread([] {
    auto* pair = make<Pair>();
    pair->strong = named(1);
    pair->weak = Weak<Named>(pair->strong);
  });
  EXPECT_EQ(collect_in_order(), (Numbers{7, 1}));
}

}  // namespace
}  // namespace burrow
