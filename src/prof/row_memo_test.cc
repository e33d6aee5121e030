// The memo of unwind rows: never a row of another address, whatever the threads do.
#include "prof/row_memo.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace burrow::prof {
namespace {

// A row that tells which address it was stored for.
PackedRow row_for(uintptr_t pc) {
  auto row = static_cast<PackedRow>((pc * 0xD6E8FEB86659FD93) >> 40);
  return (row & ((1u << kPackedRowBits) - 1)) | 8;  // neither 0 nor kMissingRow
}

uintptr_t some_pc(std::mt19937_64& random) {
  return random() >> 17;
}  // 47 bits

TEST(RowMemo, FindsWhatWasAddedLast) {
  auto memo = std::make_unique<RowMemo>();
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    uintptr_t pc = some_pc(random);
    memo->add(pc, row_for(pc));
    ASSERT_EQ(memo->find(pc), row_for(pc));
  }
}

TEST(RowMemo, ForgetsButNeverConfuses) {
  auto memo = std::make_unique<RowMemo>();
  std::mt19937_64 random(2);
  std::vector<uintptr_t> pcs(20'000);
  for (uintptr_t& pc : pcs) {
    pc = some_pc(random);
    memo->add(pc, row_for(pc));
  }
  size_t kept = 0;
  for (uintptr_t pc : pcs) {
    PackedRow row = memo->find(pc);
    ASSERT_TRUE(row == kMissingRow || row == row_for(pc));
    kept += row != kMissingRow ? 1 : 0;
    ASSERT_EQ(memo->find(some_pc(random)), kMissingRow);
  }
  EXPECT_GT(kept, 6000u);  // of 8,192 places
  EXPECT_LE(kept, 8192u);
  memo->clear();
  for (uintptr_t pc : pcs) {
    ASSERT_EQ(memo->find(pc), kMissingRow);
  }
}

TEST(RowMemo, TheLastTwoAreThereEvenInOnePlace) {
  auto memo = std::make_unique<RowMemo>();
  std::mt19937_64 random(3);
  // 4,096 places: in 100,000 pairs about 24 share one.
  for (int i = 0; i < 100'000; ++i) {
    uintptr_t pc = some_pc(random);
    uintptr_t other = some_pc(random);
    memo->add(pc, row_for(pc));
    memo->add(other, row_for(other));
    ASSERT_EQ(memo->find(pc), row_for(pc));
    ASSERT_EQ(memo->find(other), row_for(other));
  }
}

TEST(RowMemo, ThreadsThatFillAtOnce) {
  auto memo = std::make_unique<RowMemo>();
  std::atomic<size_t> wrong{0};
  std::atomic<size_t> found{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (int i = 0; i < 50'000; ++i) {
        uintptr_t pc = 0x5555'0000'0000 + random() % 12'000;
        PackedRow row = memo->find(pc);
        wrong += row != kMissingRow && row != row_for(pc) ? 1 : 0;
        found += row != kMissingRow ? 1 : 0;
        memo->add(pc, row_for(pc));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(found, 50'000u);
}

}  // namespace
}  // namespace burrow::prof
