// Out of memory, by RLIMIT_AS and BURROW_MEMLIMIT: null and ENOMEM or std::bad_alloc, and the heap
// works on. Each case is a process of its own.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

constexpr size_t kMiB = 1 << 20;

// Leaves room for `bytes` beyond what the process needs to run. Most of its address space may be
// Burrow's reservation, which must not count against the program.
void limit_address_space(size_t bytes) {
  rlimit limit{bytes, RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit) != 0) {
    _exit(90);
  }
}

// Ends the process with a message that the death test prints.
void expect(bool condition, const char* what) {
  if (!condition) {
    fprintf(stderr, "failed: %s (errno %d)\n", what, errno);
    _exit(1);
  }
}

struct Block {
  Block* next;
};

// Allocates blocks of a size until memory is out; returns their list.
Block* exhaust(size_t size, size_t& count) {
  Block* all = nullptr;
  count = 0;
  for (;;) {
    errno = 0;
    auto* b = static_cast<Block*>(malloc(size));
    if (b == nullptr) {
      expect(errno == ENOMEM, "ENOMEM");
      return all;
    }
    memset(static_cast<void*>(b), 1, size);
    b->next = all;
    all = b;
    ++count;
    expect(count * size < 2048 * kMiB, "the limit holds");
  }
}

void release(Block* all) {
  while (all != nullptr) {
    Block* next = all->next;
    free(all);
    all = next;
  }
}

// Runs out of memory with every size of block, and each time all of it can be used again.
void run_out_and_go_on(size_t least) {
  for (size_t size :
       {size_t{16}, size_t{100}, size_t{5000}, size_t{100000}, 3 * kMiB, size_t{48}}) {
    size_t count = 0;
    Block* all = exhaust(size, count);
    expect(count * size >= least, "most of the memory below the limit can be had");
    bool thrown = false;
    try {
      // A new page's worth: what is left over in caches cannot serve it.
      for (int i = 0; i < 100; ++i) {
        (void)opaque(::operator new(3 * kMiB));
      }
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    expect(thrown, "bad_alloc");
    // A shrinking realloc needs no memory and must not fail.
    if (all != nullptr) {
      auto* next = all->next;
      auto* shrunk = static_cast<Block*>(realloc(all, sizeof(Block)));
      expect(shrunk != nullptr, "a block shrinks without memory");
      shrunk->next = next;
      all = shrunk;
    }
    release(all);
    void* p = malloc(4 * kMiB);
    expect(p != nullptr, "the heap works on");
    memset(p, 1, 4 * kMiB);
    free(p);
  }
}

using MemoryLimit = testing::Test;

TEST(MemoryLimit, AddressSpaceLimitedWhileRunning) {
  EXPECT_EXIT(
      {
        limit_address_space(400 * kMiB);
        run_out_and_go_on(64 * kMiB);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

void* do_nothing(void* p) {
  return p;
}

// The reservation of the heap must not use up the limit: threads and mappings go on.
TEST(MemoryLimit, ThreadsAndMappingsStillFitUnderALateLimit) {
  EXPECT_EXIT(
      {
        limit_address_space(500 * kMiB);
        pthread_t thread;
        expect(pthread_create(&thread, nullptr, do_nothing, nullptr) == 0, "pthread_create");
        pthread_join(thread, nullptr);
        void* p =
            mmap(nullptr, 20 * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(p != MAP_FAILED, "mmap");
        void* q = malloc(30 * kMiB);
        expect(q != nullptr, "malloc");
        memset(q, 1, 30 * kMiB);
        free(q);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(MemoryLimit, ExhaustedByManyThreads) {
  EXPECT_EXIT(
      {
        limit_address_space(600 * kMiB);
        for (int round = 0; round < 3; ++round) {
          std::vector<std::thread> threads;
          for (int t = 0; t < 4; ++t) {
            threads.emplace_back([t] {
              size_t count = 0;
              release(exhaust(t % 2 == 0 ? 200 : 20000, count));
            });
          }
          for (std::thread& t : threads) {
            t.join();
          }
        }
        void* p = malloc(20 * kMiB);
        expect(p != nullptr, "the heap works on");
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

// The rest runs the program again, under limits that are there from the start.
std::string again(const std::string& limits, const char* test) {
  return "exec sh -c '" + limits +
         " exec \"$0\" --gtest_also_run_disabled_tests --gtest_filter=" + test + "' /proc/" +
         std::to_string(getpid()) + "/exe >/dev/null 2>&1";
}

TEST(MemoryLimit, DISABLED_RunOutAndGoOn) {
  run_out_and_go_on(40 * kMiB);
}

TEST(MemoryLimit, DISABLED_Work) {
  for (size_t i = 0; i < 1000; ++i) {
    void* p = malloc(i * 10);
    ASSERT_NE(p, nullptr);
    memset(p, 1, i * 10);
    free(p);
  }
}

TEST(MemoryLimit, OfTheHeapFromTheStart) {
  EXPECT_EQ(system(again("BURROW_MEMLIMIT=64M", "*.DISABLED_RunOutAndGoOn").c_str()), 0);
}

// A control group's limit counts what is resident. The group is made up: files in a folder.
TEST(MemoryLimit, OfTheControlGroup) {
  char folder[] = "/tmp/burrow-cgroup.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string at = folder;
  std::string make = "mkdir " + at + "/a && echo 0::/a >" + at + "/cgroup && echo 100000000 >" +
                     at + "/a/memory.max";
  ASSERT_EQ(system(make.c_str()), 0);
  std::string debug = "BURROW_DEBUG=cgroup=" + at;
  EXPECT_EQ(system(again(debug, "*.DISABLED_RunOutAndGoOn").c_str()), 0);
  EXPECT_EQ(system(again(debug, "*.DISABLED_MoreThanAGroupMayTouch").c_str()), 0);
  EXPECT_NE(system(again(debug + " BURROW_MEMLIMIT=off", "*.DISABLED_MoreIsRefused").c_str()), 0);
  EXPECT_EQ(system(again(debug, "*.DISABLED_MoreIsRefused").c_str()), 0);
  EXPECT_EQ(system(("rm -r " + at).c_str()), 0);
}

TEST(MemoryLimit, DISABLED_MoreIsRefused) {
  errno = 0;
  ASSERT_EQ(opaque(malloc(200 * kMiB)), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

// What is allocated and not touched does not count.
TEST(MemoryLimit, DISABLED_MoreThanAGroupMayTouch) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_NE(opaque(malloc(20 * kMiB)), nullptr) << i;
  }
}

TEST(MemoryLimit, AddressSpaceLimitedFromTheStart) {
  for (const char* kilobytes : {"300000", "1000000", "8000000"}) {
    std::string limit = std::string("ulimit -v ") + kilobytes + ";";
    EXPECT_EQ(system(again(limit, "*.DISABLED_Work").c_str()), 0) << kilobytes;
  }
  EXPECT_EQ(system(again("ulimit -v 300000;", "*.DISABLED_RunOutAndGoOn").c_str()), 0);
}

// So little that there is hardly room for the program: the arena takes what it can get.
TEST(MemoryLimit, AVerySmallAddressSpaceIsEnoughForSmallPrograms) {
  EXPECT_EQ(system(again("ulimit -v 60000;", "*.DISABLED_Work").c_str()), 0);
}

TEST(MemoryLimit, DISABLED_ThreadsNearTheEnd) {
  std::vector<pthread_t> threads(50);
  size_t made = 0;
  auto body = [](void*) -> void* {
    for (size_t i = 0; i < 2000; ++i) {
      void* block = opaque(malloc(i * 13 % 9000));
      if (block == nullptr) {
        break;
      }
      free(block);
    }
    return nullptr;
  };
  while (made < threads.size() && pthread_create(&threads[made], nullptr, body, nullptr) == 0) {
    ++made;
  }
  for (size_t i = 0; i < made; ++i) {
    pthread_join(threads[i], nullptr);
  }
}

// Wherever memory runs out, a thread has less, and the program goes on. (Some limits leave too
// little for the program to start.)
TEST(MemoryLimit, ThreadsBeginNearTheEndOfTheAddressSpace) {
  for (int kilobytes = 60'000; kilobytes <= 140'000; kilobytes += 8'000) {
    std::string limit = "ulimit -v " + std::to_string(kilobytes) + ";";
    EXPECT_EQ(system(again(limit, "*.DISABLED_ThreadsNearTheEnd").c_str()), 0) << kilobytes;
  }
}

TEST(MemoryLimit, DataLimitedFromTheStart) {
  EXPECT_EQ(system(again("ulimit -d 200000;", "*.DISABLED_Work").c_str()), 0);
}

}  // namespace
}  // namespace heap_abi
