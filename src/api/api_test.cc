// The public functions do what their headers say.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "burrow/debug.h"
#include "burrow/heap.h"
#include "burrow/pprof.h"
#include "heap/heap.h"
#include "prof/prof.h"

namespace burrow {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(Api, FiguresFollowAllocations) {
  MemStats before = read_mem_stats();
  void* block = heap::allocate(8 * kMiB);
  ASSERT_NE(block, nullptr);
  MemStats during = read_mem_stats();
  heap::deallocate(block);
  MemStats after = read_mem_stats();
  EXPECT_EQ(during.heap_alloc - before.heap_alloc, 8 * kMiB);
  EXPECT_EQ(during.heap_objects - before.heap_objects, 1U);
  EXPECT_EQ(during.mallocs - before.mallocs, 1U);
  EXPECT_EQ(after.frees - before.frees, 1U);
  EXPECT_EQ(after.heap_alloc, before.heap_alloc);
  EXPECT_EQ(after.total_alloc - before.total_alloc, 8 * kMiB);
  EXPECT_EQ(during.heap_sys, during.heap_inuse + during.heap_idle);
  EXPECT_GE(during.sys, during.heap_sys);
}

TEST(Api, FreeMemoryGoesBackToTheSystem) {
  void* block = heap::allocate(16 * kMiB);
  ASSERT_NE(block, nullptr);
  heap::deallocate(block);
  free_os_memory();
  MemStats stats = read_mem_stats();
  EXPECT_EQ(stats.heap_released, stats.heap_idle);
  EXPECT_GE(stats.heap_released, 16 * kMiB);
}

TEST(Api, LimitIsKept) {
  int64_t former = set_memory_limit(64 * kMiB);
  EXPECT_EQ(former, kNoMemoryLimit);
  EXPECT_EQ(read_mem_stats().memory_limit, int64_t{64 * kMiB});
  EXPECT_EQ(set_memory_limit(-1), int64_t{64 * kMiB});
  EXPECT_EQ(heap::allocate(128 * kMiB), nullptr);
  EXPECT_EQ(set_memory_limit(former), int64_t{64 * kMiB});
  void* block = heap::allocate(128 * kMiB);
  EXPECT_NE(block, nullptr);
  heap::deallocate(block);
}

TEST(Api, ProfileIsWrittenCompressed) {
  prof::start();
  set_mem_profile_rate(1);
  EXPECT_EQ(mem_profile_rate(), 1);
  void* block = heap::allocate(kMiB);
  std::string path = testing::TempDir() + "burrow_api_test." + std::to_string(getpid());
  ASSERT_TRUE(write_heap_profile(path.c_str()));
  heap::deallocate(block);
  std::ifstream file(path, std::ios::binary);
  std::string data{std::istreambuf_iterator<char>(file), {}};
  unlink(path.c_str());
  ASSERT_GT(data.size(), 100U);
  EXPECT_EQ(data.substr(0, 2), "\x1f\x8b");  // gzip
}

TEST(Api, UnwritableProfileIsReported) {
  EXPECT_FALSE(write_heap_profile("/nonexistent/folder/profile.pb.gz"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(Api, DebugServerStartsAndStops) {
  DebugServer server = serve_debug("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error;
  EXPECT_TRUE(server.url.starts_with("http://127.0.0.1:"));
  EXPECT_FALSE(serve_debug("127.0.0.1:0"));  // there is one
  stop_debug();
  EXPECT_TRUE(serve_debug("[::1]:0") || serve_debug("127.0.0.1:0"));
  stop_debug();
  stop_debug();
  EXPECT_NE(serve_debug("nonsense").error.find("write for example"), std::string::npos);
}

}  // namespace
}  // namespace burrow
