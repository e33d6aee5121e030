// The operating system's side: memory, limits, control groups, settings, threads. See os.h.
#include "os/os.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "os/signal_mask.h"
#include "os/signal_watch.h"
#include "os/stop.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(OsMemory, ReservedCommittedReleased) {
  errno = 4711;
  auto* p = static_cast<char*>(reserve(8 * kMiB, 2 * kMiB));
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % (2 * kMiB), 0U);
  ASSERT_TRUE(protect_read_only(p, kMiB));
  EXPECT_EQ(p[100], 0);
  ASSERT_TRUE(commit(p, kMiB));
  std::memset(p, 1, kMiB);
  ASSERT_TRUE(release(p, kMiB));
  EXPECT_EQ(p[100], 0) << "released memory reads as zero";
  unreserve(p, 8 * kMiB);
  EXPECT_EQ(reserve(size_t{1} << 62, kOsPageSize), nullptr);
  EXPECT_EQ(errno, 4711);
}

TEST(OsMemory, PagesMoveOrStayWhole) {
  auto* from = static_cast<char*>(map_memory(kMiB));
  auto* to = static_cast<char*>(map_memory(kMiB));
  std::memset(from, 7, kMiB);
  if (move_pages(from, to, kMiB)) {
    EXPECT_EQ(to[kMiB - 1], 7);
    EXPECT_EQ(from[5], 0);
  } else {
    EXPECT_EQ(from[5], 7);
  }
  unmap_memory(from, kMiB);
  unmap_memory(to, kMiB);
}

TEST(OsMemory, WhatCannotBeReadIsNotCopied) {
  auto* p = static_cast<char*>(map_memory(2 * kOsPageSize));
  std::memset(p, 9, 2 * kOsPageSize);
  std::vector<char> copy(2 * kOsPageSize);
  errno = 4711;
  auto from = reinterpret_cast<uintptr_t>(p);
  ASSERT_TRUE(try_read(copy.data(), from, copy.size()));
  EXPECT_EQ(copy.back(), 9);
  ASSERT_EQ(mprotect(p + kOsPageSize, kOsPageSize, PROT_NONE), 0);
  EXPECT_FALSE(try_read(copy.data(), from, copy.size()));
  EXPECT_FALSE(try_read(copy.data(), from + kOsPageSize, 1));
  EXPECT_TRUE(try_read(copy.data(), from, kOsPageSize));
  EXPECT_EQ(errno, 4711);
  unmap_memory(p, 2 * kOsPageSize);
}

// What is not mapped cannot be moved; the target must be usable memory all the same.
TEST(OsMemory, AFailedMoveLeavesBothSidesUsable) {
  auto* from = static_cast<char*>(map_memory(kMiB));
  auto* to = static_cast<char*>(map_memory(kMiB));
  std::memset(from, 7, kMiB);
  ASSERT_EQ(munmap(from, kOsPageSize), 0);
  EXPECT_FALSE(move_pages(from, to, kMiB));
  EXPECT_EQ(from[kOsPageSize], 7);
  std::memset(to, 1, kMiB);
  unmap_memory(from, kMiB);
  unmap_memory(to, kMiB);
}

TEST(OsMemoryDeathTest, MovesCanBeForbidden) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        forbid_move_pages();
        void* from = map_memory(kMiB);
        void* to = map_memory(kMiB);
        _exit(move_pages(from, to, kMiB) ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

/// A made-up /sys/fs/cgroup and /proc/self/cgroup.
class OsCgroup : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/burrow-os-test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::path file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::optional<size_t> limit() {
    return cgroup_memory_limit(folder_.c_str(), (folder_ / "self").c_str());
  }

  std::filesystem::path folder_;
};

TEST_F(OsCgroup, NoGroupIsNoLimit) {
  EXPECT_EQ(limit(), std::nullopt);
  write("self", "");
  EXPECT_EQ(limit(), std::nullopt);
  write("self", "rubbish\n0:\n\n:::");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(OsCgroup, Version2TakesTheSmallestUpTheTree) {
  write("self", "0::/a/b/c\n");
  EXPECT_EQ(limit(), std::nullopt);
  write("a/b/c/memory.max", "max\n");
  EXPECT_EQ(limit(), std::nullopt);
  write("a/memory.max", "2000000\n");
  EXPECT_EQ(limit(), 2000000U);
  write("a/b/c/memory.max", "3000000\n");
  EXPECT_EQ(limit(), 2000000U);
  write("a/b/memory.max", "1000000\n");
  EXPECT_EQ(limit(), 1000000U);
  write("memory.max", "500000\n");
  EXPECT_EQ(limit(), 500000U);
}

TEST_F(OsCgroup, Version1HasAFolderOfItsOwn) {
  write("self", "9:cpu:/x\n4:memory:/docker/1\n1:name=systemd:/\n");
  write("memory/docker/1/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit(), std::nullopt) << "that number means no limit";
  write("memory/docker/1/memory.limit_in_bytes", "123456789\n");
  EXPECT_EQ(limit(), 123456789U);
}

TEST(OsLimits, TheSystemCallSetsAndTells) {
  rlimit before{};
  ASSERT_EQ(change_limit(0, RLIMIT_CORE, nullptr, &before), 0);
  rlimit expected{};
  getrlimit(RLIMIT_CORE, &expected);
  EXPECT_EQ(before.rlim_cur, expected.rlim_cur);
  EXPECT_EQ(change_limit(0, 4711, nullptr, &before), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_TRUE(is_own_address_space(0, RLIMIT_AS));
  EXPECT_TRUE(is_own_address_space(getpid(), RLIMIT_AS));
  EXPECT_FALSE(is_own_address_space(1, RLIMIT_AS));
  EXPECT_FALSE(is_own_address_space(0, RLIMIT_DATA));
}

TEST(OsLimits, FiguresOfTheProcessMakeSense) {
  EXPECT_GT(resident_bytes(), size_t{100} * 1024);
  EXPECT_GT(address_space_used(), resident_bytes());
  EXPECT_GE(processor_count(), 1);
}

TEST(OsSettings, BytesAreParsedOrRefused) {
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("123"), 123U);
  EXPECT_EQ(parse_bytes("123B"), 123U);
  EXPECT_EQ(parse_bytes("64K"), 65536U);
  EXPECT_EQ(parse_bytes("64k"), 65536U);
  EXPECT_EQ(parse_bytes("512MiB"), 512 * kMiB);
  EXPECT_EQ(parse_bytes("2GB"), 2048 * kMiB);
  EXPECT_EQ(parse_bytes("1T"), kMiB * kMiB);
  for (const char* bad :
       {"", "x", "-1", "1X", "1KK", "1Mi", "99999999999999999999", "99999999999T"}) {
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
  }
}

TEST(OsSettings, DebugOptionsAreFoundByTheirWholeName) {
  ASSERT_EQ(setenv("BURROW_DEBUG", "verify=1,guard=32,empty=,hardened=0", 1), 0);
  EXPECT_EQ(debug_option("verify"), "1");
  EXPECT_EQ(debug_option("guard"), "32");
  EXPECT_EQ(debug_option("empty"), "");
  EXPECT_EQ(debug_option("hardened"), "0");
  EXPECT_EQ(debug_option("ver"), std::nullopt);
  EXPECT_EQ(debug_option("uard"), std::nullopt);
  unsetenv("BURROW_DEBUG");
  EXPECT_EQ(debug_option("verify"), std::nullopt);
}

TEST(OsSettings, VariablesAreSet) {
  unsetenv("BURROW_A");
  for (const char* value : {"1", "", "a=b", "longer than before"}) {
    ASSERT_TRUE(set_env("BURROW_A", value));
    EXPECT_STREQ(getenv("BURROW_A"), value);
    EXPECT_STREQ(env("BURROW_A"), value);
  }
  ASSERT_EQ(setenv("BURROW_A", "libc's", 1), 0);
  EXPECT_STREQ(env("BURROW_A"), "libc's");
  EXPECT_NE(getenv("PATH"), nullptr);
  unsetenv("BURROW_A");
}

TEST(OsSignals, Numbers) {
  EXPECT_EQ(signal_number("USR1"), SIGUSR1);
  EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
  EXPECT_EQ(signal_number("12"), SIGUSR2);
  EXPECT_EQ(signal_number("RTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_number("RTMIN+1"), SIGRTMIN + 1);
  for (const char* wrong :
       {"", "SIG", "KILL", "9", "11", "0", "-10", "65", "RTMIN-1", "RTMIN+99", "usr1", "USR1 "}) {
    EXPECT_EQ(signal_number(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(signal_number(std::to_string(stop_signal())), std::nullopt);
}

TEST(OsThread, ExistsUntilItEnds) {
  uint32_t number = 0;
  std::thread([&] {
    number = thread_id();
    EXPECT_TRUE(thread_exists(number));
  }).join();
  // join may return a moment before the kernel forgets the thread.
  while (thread_exists(number)) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(thread_exists(thread_id()));
}

TEST(OsThread, TheExitHandlerRunsOnceWithTheLastArgument) {
  static int* seen = nullptr;
  static int calls = 0;
  int first = 0;
  int second = 0;
  std::thread([&] {
    auto handler = [](void* argument) {
      seen = static_cast<int*>(argument);
      ++calls;
    };
    EXPECT_TRUE(at_thread_exit(handler, &first));
    EXPECT_TRUE(at_thread_exit(handler, &second));
  }).join();
  EXPECT_EQ(seen, &second);
  EXPECT_EQ(calls, 1);
}

// The monitor starts workers for the program's code: they must not inherit its blocked signals.
TEST(Thread, StartedFromTheBackgroundHasTheProgramsMask) {
  static constinit std::atomic<uint64_t> mask{~uint64_t{0}};
  static constinit std::atomic<bool> done{false};
  sigset_t some;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR2);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &some, nullptr), 0);
  ASSERT_TRUE(start_background_thread("background", [] {
    ASSERT_TRUE(start_thread(
        "foreground",
        [](void*) {
          mask = change_signal_mask(MaskChange::kBlock, {}).bits;
          done = true;
        },
        nullptr));
  }));
  while (!done) {
    sched_yield();
  }
  sigemptyset(&some);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &some, nullptr), 0);
  EXPECT_EQ(mask, uint64_t{1} << (SIGUSR2 - 1));
}

}  // namespace
}  // namespace burrow::os
