// What malloc tells about itself is true: mallinfo, mallinfo2, malloc_info, malloc_trim, mallopt.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

// 16 MiB in blocks of a class without waste: 1024 is a class.
constexpr size_t kBlocks = 16384;
constexpr size_t kBlock = 1024;

class Figures : public testing::Test {
 protected:
  void allocate() {
    blocks_.reserve(kBlocks);
    for (size_t i = 0; i < kBlocks; ++i) {
      blocks_.push_back(malloc(kBlock));
      memset(blocks_.back(), 1, kBlock);
    }
  }

  void release() {
    for (void* p : blocks_) {
      free(p);
    }
    blocks_.clear();
  }

  std::vector<void*> blocks_ = [] {
    std::vector<void*> v;
    v.reserve(kBlocks);
    return v;
  }();
};

TEST_F(Figures, Mallinfo2CountsWhatIsLive) {
  struct mallinfo2 before = mallinfo2();
  allocate();
  struct mallinfo2 during = mallinfo2();
  EXPECT_EQ(during.uordblks - before.uordblks, kBlocks * kBlock);
  EXPECT_GE(during.arena, during.uordblks);
  EXPECT_EQ(during.arena, during.uordblks + during.fordblks) << "all of it is used or free";
  EXPECT_LE(during.fsmblks, during.fordblks);
  EXPECT_LE(during.keepcost, during.fordblks);
  EXPECT_EQ(during.hblkhd, before.hblkhd) << "no large blocks came";
  EXPECT_GE(during.usmblks, during.arena + during.hblkhd) << "the peak is no less than what is";
  release();
  struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(after.uordblks, before.uordblks);
  EXPECT_EQ(after.arena, after.uordblks + after.fordblks);
}

TEST_F(Figures, LargeBlocksAreTheMappedOnes) {
  struct mallinfo2 before = mallinfo2();
  void* p = opaque(malloc(1 << 20));
  void* q = opaque(malloc(5 << 20));
  struct mallinfo2 during = mallinfo2();
  EXPECT_EQ(during.hblks - before.hblks, 2U);
  EXPECT_EQ(during.hblkhd - before.hblkhd, size_t{6} << 20);
  EXPECT_EQ(during.uordblks, before.uordblks) << "counted once";
  q = opaque(realloc(q, 7 << 20));
  EXPECT_GE(mallinfo2().hblkhd - before.hblkhd, size_t{8} << 20);
  free(p);
  free(q);
  EXPECT_EQ(mallinfo2().hblks, before.hblks);
  EXPECT_EQ(mallinfo2().hblkhd, before.hblkhd);
}

TEST_F(Figures, MallinfoSaysTheSameInInts) {
  allocate();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  struct mallinfo narrow = mallinfo();
#pragma GCC diagnostic pop
  struct mallinfo2 wide = mallinfo2();
  EXPECT_EQ(static_cast<size_t>(narrow.uordblks), wide.uordblks);
  EXPECT_EQ(static_cast<size_t>(narrow.arena), wide.arena);
  EXPECT_EQ(static_cast<size_t>(narrow.fordblks), wide.fordblks);
  release();
}

std::string info() {
  char* text = nullptr;
  size_t length = 0;
  FILE* file = open_memstream(&text, &length);
  EXPECT_EQ(malloc_info(0, file), 0);
  fclose(file);
  std::string result(text, length);
  free(text);
  return result;
}

size_t number(const std::string& text, const std::string& pattern) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern))) {
    ADD_FAILURE() << "no " << pattern << " in\n" << text;
    return 0;
  }
  return std::stoull(found[1]);
}

TEST_F(Figures, MallocInfoIsXmlThatAddsUp) {
  void* large = opaque(malloc(3 << 20));
  allocate();
  std::string text = info();
  // Well-formed: every element that opens closes, in order.
  std::vector<std::string> open;
  const std::regex tag("<(/?)(\\w+)[^<>]*?(/?)>");
  for (std::sregex_iterator at(text.begin(), text.end(), tag), end; at != end; ++at) {
    if ((*at)[1].length() > 0) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), (*at)[2]);
      open.pop_back();
    } else if ((*at)[3].length() == 0) {
      open.push_back((*at)[2]);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(text.rfind("<malloc version=\"1\">", 0), 0U);
  size_t live = number(text, "<class size=\"1024\" live=\"(\\d+)\"");
  EXPECT_GE(live, kBlocks);
  EXPECT_LE(live, kBlocks + 100);
  EXPECT_GE(number(text, "type=\"mmap\" count=\"\\d+\" size=\"(\\d+)\""), size_t{3} << 20);
  size_t fast = number(text, "type=\"fast\" count=\"\\d+\" size=\"(\\d+)\"");
  size_t rest = number(text, "type=\"rest\" count=\"\\d+\" size=\"(\\d+)\"");
  size_t current = number(text, "system type=\"current\" size=\"(\\d+)\"");
  // As in glibc, what the system gave less what is free is in use.
  EXPECT_GE(current - fast - rest, kBlocks * kBlock);
  EXPECT_LE(current - fast - rest, mallinfo2().uordblks + 100000);
  EXPECT_EQ(malloc_info(1, stdout), EINVAL);
  release();
  free(large);
}

TEST_F(Figures, TrimGivesMemoryBackAndSaysWhetherItDid) {
  allocate();
  release();
  size_t before = resident_bytes();
  int first = malloc_trim(0);
  int second = malloc_trim(0);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0) << "nothing is left to give";
  EXPECT_LT(resident_bytes() + kBlocks * kBlock * 3 / 4, before);
}

TEST_F(Figures, MalloptTakesEveryKnob) {
  EXPECT_EQ(mallopt(M_MMAP_THRESHOLD, 1 << 20), 1);
  EXPECT_EQ(mallopt(M_ARENA_MAX, 1), 1);
  EXPECT_EQ(mallopt(M_TRIM_THRESHOLD, 1 << 20), 1);
}

TEST_F(Figures, MallocStatsPrintsToStandardError) {
  testing::internal::CaptureStderr();
  malloc_stats();
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("in use bytes"), std::string::npos);
}

TEST_F(Figures, OtherThreadsCount) {
  size_t before = mallinfo2().uordblks;
  std::thread([&] { allocate(); }).join();
  EXPECT_GE(mallinfo2().uordblks - before, kBlocks * kBlock);
  std::thread([&] { release(); }).join();
  EXPECT_LE(mallinfo2().uordblks, before + 1000);
}

}  // namespace
}  // namespace heap_abi
