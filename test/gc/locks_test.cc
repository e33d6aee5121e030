// Threads are not stopped while they hold locks that the collector's own threads wait for.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "burrow/gc.h"
#include "gc/faults.h"
#include "os/stop.h"
#include "os/thread.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Block {
  char bytes[40000];
};

struct Node {
  Node* next = nullptr;
  uint64_t value = 0;
};

// A thread holds a lock of the heap for `longest`, or until a collection has ended. True when one
// ended meanwhile: then it had stopped the thread.
bool is_stopped_with_lock(milliseconds longest) {
  heap::Mutex lock{LockRank::kHeap};
  std::atomic<bool> held{false};
  std::atomic<bool> collected{false};
  std::atomic<bool> seen{false};
  std::thread holder([&] {
    MutexLock hold(lock);
    held = true;
    auto end = steady_clock::now() + longest;
    while (!collected && steady_clock::now() < end) {
    }
    seen = collected.load();
  });
  while (!held) {
    std::this_thread::yield();
  }
  collect();
  collected = true;
  holder.join();
  return seen;
}

TEST(Locks, NobodyIsStoppedWhoHoldsOneOfTheHeap) {
  (void)make<Node>();
  EXPECT_FALSE(is_stopped_with_lock(milliseconds(100)));
}

TEST(Locks, APlantedFaultIsNoticed) {
  (void)make<Node>();
  gc::g_faults.stop_with_locks = true;
  EXPECT_TRUE(is_stopped_with_lock(std::chrono::minutes(2)));
  gc::g_faults.stop_with_locks = false;
}

// Plain and collected allocations of all kinds take the same locks of the heap, beside cycles: once
// a thread in malloc was stopped with a lock for which one in make waited.
TEST(Locks, MallocAndMakeBesideCycles) {
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  auto repeat = [&](const std::function<void()>& f) {
    threads.emplace_back([&done, f] {
      while (!done) {
        f();
      }
    });
  };
  repeat([] {
    std::vector<void*> blocks;
    for (size_t i = 0; i < 64; ++i) {
      blocks.push_back(malloc(size_t{40000} << (i % 4)));
    }
    for (void* block : blocks) {
      free(block);
    }
  });
  repeat([] { make<Block>()->bytes[0] = 1; });
  repeat([] { std::thread([] { make<Node>()->value = 1; }).join(); });
  for (int i = 0; i < 100; ++i) {
    collect();
  }
  done = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// The kernel's listing of threads ends where one ends that is being listed: who came later would
// run on beside a stopped world.
TEST(Locks, NobodyRunsWhoWasStartedDuringAStop) {
  collect();
  std::atomic<bool> done{false};
  std::atomic<uint64_t> counter{0};
  std::vector<std::thread> spawners;
  for (int i = 0; i < 8; ++i) {
    spawners.emplace_back([&] {
      while (!done) {
        std::thread([&] {
          for (int k = 0; k < 200; ++k) {
            counter.fetch_add(1, std::memory_order_relaxed);
          }
        }).join();
      }
    });
  }
  uint64_t ran = 0;
  for (int i = 0; i < 2000; ++i) {
    while (!os::stop_threads()) {
      os::sleep_ns(1'000'000);
    }
    uint64_t before = counter.load(std::memory_order_relaxed);
    os::sleep_ns(100'000);
    ran += counter.load(std::memory_order_relaxed) - before;
    os::resume_threads();
    os::sleep_ns(100'000);
  }
  done = true;
  for (std::thread& spawner : spawners) {
    spawner.join();
  }
  EXPECT_EQ(ran, 0U);
}

}  // namespace
}  // namespace burrow
