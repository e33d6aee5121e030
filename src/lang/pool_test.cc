// Pools: what is put comes back, from whichever processor, until two collections have passed.
#include "burrow/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "gc/gc.h"
#include "lang/collected_test.h"

namespace burrow {
namespace {

struct Buffer {
  std::atomic<int> users{0};
  uint64_t bytes[8] = {};
};

constinit Pool<Buffer> g_without_new;

TEST(Pool, WithoutObjectsItMakesThem) {
  EXPECT_EQ(g_without_new.get(), nullptr);
  int made = 0;
  Pool<Buffer> pool([&made] {
    ++made;
    return make<Buffer>();
  });
  Buffer* first = pool.get();
  Buffer* second = pool.get();
  EXPECT_NE(first, second);
  EXPECT_EQ(made, 2);
  pool.put(first);
  pool.put(nullptr);
  EXPECT_EQ(pool.get(), first);
  EXPECT_EQ(made, 2);
}

TEST(Pool, TheOwnSlotNeedsNoAllocation) {
  Pool<Buffer> pool([] { return make<Buffer>(); });
  pool.put(pool.get());
  EXPECT_EQ(objects_made_by([&] {
              for (int i = 0; i < 1000; ++i) {
                pool.put(pool.get());
              }
            }),
            0U);
}

TEST(Pool, EachObjectComesBackOnce) {
  constexpr size_t kCount = 100;
  Pool<Buffer> pool;
  std::set<Buffer*> put;
  for (size_t i = 0; i < kCount; ++i) {
    auto* buffer = make<Buffer>();
    put.insert(buffer);
    pool.put(buffer);
  }
  std::set<Buffer*> got;
  while (Buffer* buffer = pool.get()) {
    EXPECT_TRUE(got.insert(buffer).second);
  }
  EXPECT_TRUE(std::includes(put.begin(), put.end(), got.begin(), got.end()));
  // Under gcstress a collection may have come in between.
  if (!gc::stress()) {
    EXPECT_EQ(got.size(), kCount);
  }
}

TEST(Pool, OthersTakeFromTheRing) {
  collect();  // so that none comes by itself meanwhile
  Pool<Buffer> pool;
  for (int i = 0; i < 5; ++i) {
    pool.put(make<Buffer>());
  }
  int got = 0;
  std::thread([&] {
    while (pool.get() != nullptr) {
      ++got;
    }
  }).join();
  if (!gc::stress()) {
    EXPECT_EQ(got, 4);  // the fifth is in this thread's own slot
    EXPECT_NE(pool.get(), nullptr);
    EXPECT_EQ(pool.get(), nullptr);
  }
}

TEST(Pool, OneCollectionMakesVictimsTwoEmptyIt) {
  Pool<Buffer> pool;
  Weak<Buffer> weak[3];
  in_deep_frame([&] {
    for (Weak<Buffer>& w : weak) {
      auto* buffer = make<Buffer>();
      w = Weak<Buffer>(buffer);
      pool.put(buffer);
    }
  });
  wipe_stack_and_collect(1);
  if (!gc::stress()) {
    in_deep_frame([&] {
      Buffer* victim = pool.get();
      EXPECT_NE(victim, nullptr);
      pool.put(victim);  // used: it stays
    });
  }
  wipe_stack_and_collect(1);
  int alive = 0;
  in_deep_frame([&] {
    for (Weak<Buffer>& w : weak) {
      alive += w.get() != nullptr ? 1 : 0;
    }
  });
  EXPECT_LE(alive, 2);
  wipe_stack_and_collect(2);
  EXPECT_EQ(pool.get(), nullptr);
  for (Weak<Buffer>& w : weak) {
    EXPECT_EQ(w.get(), nullptr);
  }
}

TEST(Pool, NobodySharesAnObject) {
  // Threads that take turns at the processor in the middle of get and put, and collections between.
  constexpr int kThreads = 4;
  bool stress = gc::stress();
  Pool<Buffer> pool([] { return make<Buffer>(); });
  std::atomic<int> shared{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < (stress ? 300 : 30000); ++i) {
        Buffer* held[4] = {};
        int n = 1 + (i + t) % 4;
        for (int k = 0; k < n; ++k) {
          held[k] = pool.get();
          shared += held[k]->users.fetch_add(1) != 0 ? 1 : 0;
        }
        for (int k = 0; k < n; ++k) {
          shared += held[k]->users.fetch_sub(1) != 1 ? 1 : 0;
          pool.put(held[k]);
        }
      }
    });
  }
  std::thread collecting([&] {
    while (!done.load()) {
      collect();
    }
  });
  for (std::thread& thread : threads) {
    thread.join();
  }
  done = true;
  collecting.join();
  EXPECT_EQ(shared.load(), 0);
}

TEST(Pool, ManyPoolsComeAndGo) {
  for (int i = 0; i < 50; ++i) {
    Pool<Buffer> pool([] { return make<Buffer>(); });
    std::thread([&] { pool.put(make<Buffer>()); }).join();
    pool.put(pool.get());
    if (i % 10 == 0) {
      collect();
    }
  }
}

}  // namespace
}  // namespace burrow
