// Memory without access among the roots, and memory that the program maps itself.
#include "roots.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "burrow/gc.h"
#ifdef BURROW_TEST_FAULTS
#include "gc/faults.h"
#endif

namespace {

using roots::collect_elsewhere;
using roots::kept;
using roots::put;

constexpr size_t kPage = 4096;
constexpr int kClosed = PROT_NONE;
constexpr int kOpen = PROT_READ | PROT_WRITE;

char* map(size_t bytes, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1) {
  void* p = mmap(nullptr, bytes, kOpen, flags, fd, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}

char* aligned_block(size_t bytes) {
  void* p = nullptr;
  return posix_memalign(&p, kPage, bytes) == 0 ? static_cast<char*>(p) : nullptr;
}

// What lies in a page that the program has closed for now is kept, and what lies around it.
void expect_kept_around_closed(char* pages) {
  for (int i = 0; i < 3; ++i) {
    put(pages + i * kPage);
  }
  ASSERT_EQ(mprotect(pages + kPage, kPage, kClosed), 0);
  collect_elsewhere();
  ASSERT_EQ(mprotect(pages + kPage, kPage, kOpen), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(kept(pages + i * kPage)) << i;
  }
}

alignas(kPage) char g_zeroes[3 * kPage];
alignas(kPage) char g_values[3 * kPage] = {1};

TEST(Closed, PagesOfGlobals) {
  expect_kept_around_closed(g_zeroes);
  expect_kept_around_closed(g_values);
}

TEST(Closed, PagesOfBlocks) {
  for (size_t bytes : {3 * kPage, 4 * kPage, 64 * kPage, 1024 * kPage}) {
    char* block = aligned_block(bytes);
    expect_kept_around_closed(block);
    expect_kept_around_closed(block + bytes - 3 * kPage);
    free(block);
  }
}

TEST(Closed, PagesOfCollectedObjects) {
  char** object = burrow::make_array<char*>(64 * kPage / sizeof(char*));
  auto address = (reinterpret_cast<uintptr_t>(object) + kPage - 1) / kPage * kPage;
  expect_kept_around_closed(reinterpret_cast<char*>(address));
}

TEST(Closed, ByAMappingOfTheirOwn) {
  char* block = aligned_block(4 * kPage);
  put(block);
  ASSERT_EQ(mmap(block + kPage, kPage, kClosed, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            block + kPage);
  collect_elsewhere();
  EXPECT_TRUE(kept(block));
  ASSERT_EQ(mmap(block + kPage, kPage, kOpen, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            block + kPage);
  put(block + kPage);
  collect_elsewhere();
  EXPECT_TRUE(kept(block + kPage));
  free(block);
}

// A file's pages over those of a block; then the file becomes shorter.
TEST(Closed, ByAFileThatShrinks) {
  int fd = memfd_create("shrinks", 0);
  ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
  char* block = aligned_block(4 * kPage);
  ASSERT_EQ(mmap(block, 2 * kPage, kOpen, MAP_FIXED | MAP_SHARED, fd, 0), block);
  put(block);
  put(block + 3 * kPage);
  ASSERT_EQ(ftruncate(fd, kPage), 0);
  collect_elsewhere();
  EXPECT_TRUE(kept(block));
  EXPECT_TRUE(kept(block + 3 * kPage));
  ASSERT_EQ(mmap(block, 2 * kPage, kOpen, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), block);
  free(block);
  close(fd);
}

TEST(Closed, ByAGuardInThePageTables) {
  constexpr int kGuardInstall = 102;
  constexpr int kGuardRemove = 103;
  char* block = aligned_block(4 * kPage);
  put(block);
  if (madvise(block + kPage, kPage, kGuardInstall) != 0) {
    free(block);
    GTEST_SKIP() << "needs Linux 6.13";
  }
  collect_elsewhere();
  ASSERT_EQ(madvise(block + kPage, kPage, kGuardRemove), 0);
  EXPECT_TRUE(kept(block));
  free(block);
}

// While the collector reads, over and over.
TEST(Closed, AndOpenedBesideCycles) {
  constexpr size_t kPages = 512;
  char* block = aligned_block(kPages * kPage);
  for (size_t i = 0; i < kPages; ++i) {
    put(block + i * kPage);
  }
  std::atomic<bool> done{false};
  std::thread collector([&] {
    for (int i = 0; i < 100; ++i) {
      burrow::collect();
    }
    done = true;
  });
  for (size_t i = 0; !done; i = (i + 7) % kPages) {
    ASSERT_EQ(mprotect(block + i * kPage, kPage, kClosed), 0);
    ASSERT_EQ(mprotect(block + i * kPage, kPage, kOpen), 0);
  }
  collector.join();
  for (size_t i = 0; i < kPages; ++i) {
    ASSERT_TRUE(kept(block + i * kPage)) << i;
  }
  free(block);
}

TEST(Closed, ErrorsAreTheKernels) {
  EXPECT_EQ(mprotect(reinterpret_cast<void*>(1), kPage, kOpen), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(mmap(nullptr, 0, kOpen, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(madvise(reinterpret_cast<void*>(1), kPage, MADV_DONTNEED), -1);
  EXPECT_EQ(errno, EINVAL);
}

#ifdef BURROW_TEST_FAULTS
void collect_a_closed_block() {
  burrow::gc::g_faults.no_access_notes = true;
  char* block = aligned_block(64 * kPage);
  mprotect(block + kPage, kPage, kClosed);
  burrow::collect();
}

TEST(Closed, TheTestWouldNoticeThatNobodyNotesIt) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(collect_a_closed_block(), testing::KilledBySignal(SIGSEGV), "");
}
#endif

// What threads return lies in their descriptors until they are joined.
bool results_live() {
  constexpr int kThreads = 40;
  std::array<pthread_t, kThreads> threads{};
  for (int i = 0; i < kThreads; ++i) {
    auto returns = [](void*) -> void* { return roots::fresh(); };
    auto exits = [](void*) -> void* {
      void* thing = roots::fresh();
      pthread_exit(thing);
    };
    EXPECT_EQ(i % 2 == 0 ? pthread_create(&threads[i], nullptr, returns, nullptr)
                         : pthread_create(&threads[i], nullptr, exits, nullptr),
              0);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // most have ended by now
  roots::use_again();
  collect_elsewhere(3);
  bool all = true;
  for (pthread_t thread : threads) {
    void* result = nullptr;
    pthread_join(thread, &result);
    all = all && roots::lives(static_cast<roots::Thing*>(result));
  }
  return all;
}

TEST(ThreadResults, LiveUntilTheyAreJoined) {
  EXPECT_TRUE(results_live());
}

#ifdef BURROW_TEST_FAULTS
TEST(ThreadResults, TheTestWouldNoticeThatTheyAreLost) {
  burrow::gc::g_faults.no_results = true;
  EXPECT_FALSE(results_live());
  burrow::gc::g_faults.no_results = false;
  EXPECT_TRUE(results_live());
}
#endif

TEST(AddRoots, MappedMemory) {
  char* memory = map(2 * kPage);
  burrow::add_roots(memory, 2 * kPage);
  constexpr int kAll = 2 * kPage / sizeof(void*);
  roots::put_row(memory, kAll);
  collect_elsewhere();
  EXPECT_TRUE(roots::kept_row(memory, kAll));
  EXPECT_TRUE(burrow::remove_roots(memory));
  EXPECT_FALSE(burrow::remove_roots(memory));
  collect_elsewhere();
  EXPECT_FALSE(roots::kept_row(memory, kAll));
  munmap(memory, 2 * kPage);
}

TEST(AddRoots, ItsEndsNeedNotBePages) {
  char* memory = map(kPage);
  constexpr int kRow = 64;
  constexpr size_t kBytes = kRow * sizeof(void*);
  burrow::add_roots(memory + kBytes, kBytes);
  for (int i = 0; i < 3; ++i) {
    roots::put_row(memory + i * kBytes, kRow);
  }
  collect_elsewhere();
  EXPECT_FALSE(roots::kept_row(memory, kRow));
  EXPECT_TRUE(roots::kept_row(memory + kBytes, kRow));
  EXPECT_FALSE(roots::kept_row(memory + 2 * kBytes, kRow));
  EXPECT_TRUE(burrow::remove_roots(memory + kBytes));
  munmap(memory, kPage);
}

TEST(AddRoots, SharedMemory) {
  int fd = memfd_create("shared", 0);
  ASSERT_EQ(ftruncate(fd, 4 * kPage), 0);
  char* memory = map(4 * kPage, MAP_SHARED, fd);
  burrow::add_roots(memory, 4 * kPage);
  put(memory + kPage);
  put(memory + 3 * kPage);
  collect_elsewhere();
  EXPECT_TRUE(kept(memory + kPage));
  // The rest is gone from under the mapping.
  ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
  collect_elsewhere();
  EXPECT_TRUE(kept(memory + kPage));
  EXPECT_TRUE(burrow::remove_roots(memory));
  munmap(memory, 4 * kPage);
  close(fd);
}

TEST(AddRoots, AFileBelowDevShm) {
  std::string name = "/burrow-roots-" + std::to_string(getpid());
  int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  ASSERT_GE(fd, 0);
  shm_unlink(name.c_str());
  ASSERT_EQ(ftruncate(fd, kPage), 0);
  char* memory = map(kPage, MAP_SHARED, fd);
  burrow::add_roots(memory, kPage);
  put(memory);
  collect_elsewhere();
  EXPECT_TRUE(kept(memory));
  EXPECT_TRUE(burrow::remove_roots(memory));
  munmap(memory, kPage);
  close(fd);
}

TEST(AddRoots, MemoryThatGoesAway) {
  char* memory = map(16 * kPage);
  burrow::add_roots(memory, 16 * kPage);
  put(memory);
  put(memory + 8 * kPage);
  munmap(memory + kPage, 7 * kPage);
  ASSERT_EQ(mprotect(memory + 8 * kPage, kPage, kClosed), 0);
  collect_elsewhere();
  ASSERT_EQ(mprotect(memory + 8 * kPage, kPage, kOpen), 0);
  EXPECT_TRUE(kept(memory));
  EXPECT_TRUE(kept(memory + 8 * kPage));
  EXPECT_TRUE(burrow::remove_roots(memory));
  munmap(memory, kPage);
  munmap(memory + 8 * kPage, 8 * kPage);
}

// A gigabyte of which two pages were written to takes no memory and little time.
TEST(AddRoots, LargeReservations) {
  constexpr size_t kBytes = size_t{1} << 34;
  char* memory = map(kBytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  ASSERT_NE(memory, nullptr);
  burrow::add_roots(memory, kBytes);
  put(memory + kBytes / 3 / kPage * kPage);
  put(memory + kBytes - 8);
  collect_elsewhere();
  EXPECT_TRUE(kept(memory + kBytes / 3 / kPage * kPage));
  EXPECT_TRUE(kept(memory + kBytes - 8));
  EXPECT_TRUE(burrow::remove_roots(memory));
  munmap(memory, kBytes);
}

// Its missing pages are the program's to fill in: a read would wait for that for ever.
TEST(AddRoots, MemoryWhosePagesTheProgramFillsIn) {
  constexpr int kUserModeOnly = 1;
  auto fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | kUserModeOnly));
  uffdio_api api{};
  api.api = UFFD_API;
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) {
    GTEST_SKIP() << "no userfaultfd here";
  }
  char* memory = map(4 * kPage);
  put(memory);
  uffdio_register range{};
  range.range = {reinterpret_cast<uint64_t>(memory), 4 * kPage};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  ASSERT_EQ(ioctl(fd, UFFDIO_REGISTER, &range), 0);
  burrow::add_roots(memory, 4 * kPage);
  collect_elsewhere();
  EXPECT_TRUE(kept(memory));
  EXPECT_TRUE(burrow::remove_roots(memory));
  close(fd);
  munmap(memory, 4 * kPage);
}

// thread_locals of an object that is loaded late lie in blocks of their own.
TEST(Loaded, ThreadLocals) {
  void* object = dlopen(BURROW_TEST_LOADED, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(object, nullptr) << dlerror();
  auto place = reinterpret_cast<void** (*)()>(dlsym(object, "loaded_thread_local"));
  ASSERT_NE(place, nullptr);
  put(place());
  bool lived = false;
  std::thread([&] {
    put(place());
    collect_elsewhere();
    lived = kept(place());
  }).join();
  EXPECT_TRUE(lived);
  EXPECT_TRUE(kept(place()));
  dlclose(object);
}

}  // namespace
