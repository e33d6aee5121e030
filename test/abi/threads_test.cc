// Threads: many short ones, those that end with destructors that allocate, and cancelled ones.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

size_t live_bytes() {
  return mallinfo2().uordblks + mallinfo2().hblkhd;
}

// Runs `count` threads, `wave` at a time.
void in_waves(size_t count, size_t wave, const std::function<void()>& body) {
  for (size_t done = 0; done < count; done += wave) {
    std::vector<std::thread> threads;
    threads.reserve(wave);
    for (size_t i = 0; i < wave; ++i) {
      threads.emplace_back(body);
    }
    for (std::thread& t : threads) {
      t.join();
    }
  }
}

void churn() {
  void* blocks[100];
  for (size_t i = 0; i < 100; ++i) {
    blocks[i] = malloc(i * 37 + 1);
    fill(blocks[i], 8 < i * 37 + 1 ? 8 : 1, static_cast<unsigned>(i));
  }
  for (void* p : blocks) {
    free(p);
  }
}

TEST(Threads, TenThousandShortOnesLeaveNothingBehind) {
  in_waves(200, 20, churn);
  size_t live = live_bytes();
  size_t resident = resident_bytes();
  in_waves(10000, 20, churn);
  EXPECT_LE(live_bytes(), live + 20000);
  EXPECT_LE(resident_bytes(), resident + (size_t{8} << 20)) << "caches of ended threads come back";
}

struct AllocatesWhenItDies {
  std::string* text = new std::string(1000, 'a');

  ~AllocatesWhenItDies() {
    delete text;
    std::vector<std::string> more(20, std::string(200, 'b'));
    free(malloc(100000));
  }
};

TEST(Threads, ThreadLocalDestructorsAllocate) {
  in_waves(100, 10, [] {
    thread_local AllocatesWhenItDies dies;
    EXPECT_EQ(dies.text->size(), 1000U);
  });
}

pthread_key_t g_keys[3];
std::atomic<int> g_destroyed{0};

// Comes back in every round that POSIX promises.
void destroy_again(void* value) {
  auto* left = static_cast<int*>(value);
  int rounds = *left;
  free(value);
  void* more[50];
  for (void*& p : more) {
    p = malloc(300);
  }
  for (void* p : more) {
    free(p);
  }
  if (rounds > 1) {
    auto* next = static_cast<int*>(malloc(sizeof(int)));
    *next = rounds - 1;
    pthread_setspecific(g_keys[0], next);
  } else {
    g_destroyed.fetch_add(1);
  }
}

TEST(Threads, KeyDestructorsAllocateToTheLastRound) {
  ASSERT_EQ(pthread_key_create(&g_keys[0], destroy_again), 0);
  size_t live = live_bytes();
  in_waves(200, 10, [] {
    auto* left = static_cast<int*>(malloc(sizeof(int)));
    *left = PTHREAD_DESTRUCTOR_ITERATIONS;
    pthread_setspecific(g_keys[0], left);
  });
  EXPECT_EQ(g_destroyed.load(), 200);
  EXPECT_LE(live_bytes(), live + 10000);
  pthread_key_delete(g_keys[0]);
}

void* set_key(void* value) {
  pthread_setspecific(g_keys[1], value);
  return nullptr;
}

// The thread's only use of the heap is a key destructor that frees: its cache is made so late that
// no further round of destructors is left to take it down.
TEST(Threads, AFreeInTheLastDestructorLeavesNoCacheBehind) {
  ASSERT_EQ(pthread_key_create(&g_keys[1], free), 0);
  auto run = [](int threads) {
    for (int i = 0; i < threads; ++i) {
      pthread_t t;
      ASSERT_EQ(pthread_create(&t, nullptr, set_key, malloc(64)), 0);
      pthread_join(t, nullptr);
    }
  };
  run(200);
  size_t resident = resident_bytes();
  run(3000);
  // A cache and its magazines are about 8 KiB.
  EXPECT_LE(resident_bytes(), resident + (size_t{4} << 20));
  pthread_key_delete(g_keys[1]);
}

void* allocate_for_ever(void* /*unused*/) {
  for (;;) {
    void* p = malloc(500);
    memset(p, 1, 500);
    free(p);
    pthread_testcancel();
  }
}

TEST(Threads, CancelledOnesGiveTheirCachesBack) {
  for (int i = 0; i < 50; ++i) {
    pthread_t t;
    ASSERT_EQ(pthread_create(&t, nullptr, allocate_for_ever, nullptr), 0);
    pthread_cancel(t);
    pthread_join(t, nullptr);
  }
}

// Ends without any destructor, as threads do that other runtimes make.
void* end_by_system_call(void* /*unused*/) {
  churn();
  syscall(SYS_exit, 0);
  return nullptr;
}

TEST(Threads, OnesThatEndByTheSystemCallAreFoundLater) {
  auto run = [](int threads) {
    for (int i = 0; i < threads; ++i) {
      pthread_t t;
      ASSERT_EQ(pthread_create(&t, nullptr, end_by_system_call, nullptr), 0);
      pthread_join(t, nullptr);
    }
  };
  run(100);
  size_t resident = resident_bytes();
  run(1000);
  EXPECT_LE(resident_bytes(), resident + (size_t{16} << 20));
}

TEST(Threads, HandOverBlocksOfEverySize) {
  constexpr size_t kCount = 20000;
  std::vector<std::atomic<void*>> box(kCount);
  std::thread producer([&] {
    for (size_t i = 0; i < kCount; ++i) {
      size_t size = i * 7919 % 40000 + 1;
      void* p = malloc(size);
      fill(p, std::min<size_t>(size, 64), static_cast<unsigned>(i));
      box[i].store(p, std::memory_order_release);
    }
  });
  for (size_t i = 0; i < kCount; ++i) {
    void* p = nullptr;
    while ((p = box[i].load(std::memory_order_acquire)) == nullptr) {
      std::this_thread::yield();
    }
    size_t size = i * 7919 % 40000 + 1;
    EXPECT_TRUE(holds(p, std::min<size_t>(size, 64), static_cast<unsigned>(i)));
    i % 3 == 0 ? free(realloc(p, size * 2)) : free(p);
  }
  producer.join();
}

}  // namespace
}  // namespace heap_abi
