// Watching memory for writes.
#include "os/dirty.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <vector>

#include "os/os.h"

namespace burrow::os {
namespace {

constexpr size_t kPages = 256;
constexpr size_t kBytes = kPages * kOsPageSize;

class Dirty : public testing::Test {
 protected:
  void SetUp() override {
    memory_ = static_cast<char*>(map_memory(kBytes));
    ASSERT_NE(memory_, nullptr);
    if (!tracker_.init(start(), end())) {
      GTEST_SKIP() << "the kernel does not tell what is written to";
    }
    std::memset(memory_, 1, kBytes);
  }

  void TearDown() override {
    tracker_.reset_after_fork();  // closes it
    unmap_memory(memory_, kBytes);
  }

  uintptr_t start() const { return reinterpret_cast<uintptr_t>(memory_); }

  uintptr_t end() const { return start() + kBytes; }

  void write(size_t page) { memory_[page * kOsPageSize] = 2; }

  /// Which pages were written to.
  std::vector<size_t> collect(void (DirtyTracker::*how)(uintptr_t, uintptr_t, DirtyTracker::Visit,
                                                        void*) = &DirtyTracker::collect) {
    struct Found {
      uintptr_t start;
      std::vector<size_t> pages;
    } found{start(), {}};

    (tracker_.*how)(
        start(), end(),
        [](void* raw, uintptr_t from, uintptr_t to) {
          auto& f = *static_cast<Found*>(raw);
          for (uintptr_t at = from; at < to; at += kOsPageSize) {
            f.pages.push_back((at - f.start) / kOsPageSize);
          }
        },
        &found);
    return found.pages;
  }

  /// Faults that writing to each page takes.
  long faults_of_writing() {
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_THREAD, &before);
    for (size_t page = 0; page < kPages; ++page) {
      write(page);
    }
    getrusage(RUSAGE_THREAD, &after);
    return after.ru_minflt - before.ru_minflt;
  }

  char* memory_ = nullptr;
  DirtyTracker tracker_;
};

TEST_F(Dirty, TellsWhatWasWrittenSinceItWasForgotten) {
  ASSERT_TRUE(tracker_.forget(start(), end()));
  EXPECT_TRUE(collect().empty());
  write(3);
  write(4);
  write(200);
  EXPECT_EQ(collect(), (std::vector<size_t>{3, 4, 200}));
  EXPECT_TRUE(collect().empty());
}

TEST_F(Dirty, APeekForgetsNothing) {
  ASSERT_TRUE(tracker_.forget(start(), end()));
  write(5);
  EXPECT_EQ(collect(&DirtyTracker::peek), (std::vector<size_t>{5}));
  EXPECT_EQ(collect(&DirtyTracker::peek), (std::vector<size_t>{5}));
  EXPECT_EQ(collect(), (std::vector<size_t>{5}));
  EXPECT_TRUE(collect(&DirtyTracker::peek).empty());
}

TEST_F(Dirty, WhatIsLetIsWrittenToWithoutFaults) {
  ASSERT_TRUE(tracker_.forget(start(), end()));
  EXPECT_GE(faults_of_writing(), static_cast<long>(kPages));
  ASSERT_TRUE(tracker_.forget(start(), end()));
  tracker_.let(start(), end());
  EXPECT_LT(faults_of_writing(), static_cast<long>(kPages / 8));
}

TEST_F(Dirty, WhatIsLetCountsAsWrittenUntilItIsForgotten) {
  ASSERT_TRUE(tracker_.forget(start(), end()));
  tracker_.let(start(), start() + 8 * kOsPageSize);
  EXPECT_EQ(collect(), (std::vector<size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  write(7);
  EXPECT_EQ(collect(), (std::vector<size_t>{7}));
}

}  // namespace
}  // namespace burrow::os
