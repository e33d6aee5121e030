// The table of sampled blocks against a model: addresses that come back, and collisions.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <vector>

#include "prof/buckets.h"

namespace burrow::prof {
namespace {

// What for_each_bucket shows for the stacks of one test, told apart by their first address.
std::map<uintptr_t, std::pair<uint64_t, uint64_t>> counts() {
  std::map<uintptr_t, std::pair<uint64_t, uint64_t>> result;
  for_each_bucket(
      [](void* out, const BucketView& view) {
        auto& entry = (*static_cast<decltype(result)*>(out))[view.stack[0]];
        entry.first += view.allocs;
        entry.second += view.frees;
      },
      &result);
  return result;
}

void* block_at(uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

TEST(LiveBlocks, CountsAgainstModelOverManyRounds) {
  std::mt19937_64 random(7);
  constexpr int kSites = 5;
  std::array<std::pair<uint64_t, uint64_t>, kSites> expected{};
  std::map<uintptr_t, int> live;
  std::vector<uintptr_t> order;
  for (int step = 0; step < 40'000; ++step) {
    bool grow = order.size() < 50 || (random() % 100 < 51 && order.size() < 5000);
    if (grow) {
      // Spans of 32 KiB in a small range: many return to an address used before.
      uintptr_t address = 0x7000'0000'0000 + (random() % 16'384) * 32'768;
      int site = static_cast<int>(random() % kSites);
      if (!live.emplace(address, site).second) {
        continue;
      }
      order.push_back(address);
      std::array<uintptr_t, 3> stack{0x1000u + static_cast<uintptr_t>(site), 2, 3};
      ASSERT_TRUE(record_alloc(block_at(address), 64, stack));
      ++expected[static_cast<size_t>(site)].first;
    } else {
      size_t pick = random() % order.size();
      uintptr_t address = order[pick];
      order[pick] = order.back();
      order.pop_back();
      record_free(block_at(address));
      ++expected[static_cast<size_t>(live[address])].second;
      live.erase(address);
    }
  }
  auto seen = counts();
  for (size_t site = 0; site < kSites; ++site) {
    EXPECT_EQ(seen[0x1000 + site], expected[site]) << site;
  }
  for (uintptr_t address : order) {
    record_free(block_at(address));
    record_free(block_at(address));  // no longer known: must not count
  }
  seen = counts();
  for (size_t site = 0; site < kSites; ++site) {
    EXPECT_EQ(seen[0x1000 + site].first, seen[0x1000 + site].second) << site;
  }
}

TEST(LiveBlocks, StacksThatDifferInOneFrameOrInLengthAreTwoSites) {
  std::array<uintptr_t, 6> stack{0x2000, 11, 12, 13, 14, 15};
  ASSERT_TRUE(record_alloc(block_at(0x5000'0000), 48, std::span(stack).first(5)));
  ASSERT_TRUE(record_alloc(block_at(0x5000'0040), 48, stack));
  ASSERT_TRUE(record_alloc(block_at(0x5000'0080), 64, stack));
  stack[3] = 99;
  ASSERT_TRUE(record_alloc(block_at(0x5000'00c0), 48, stack));
  ASSERT_TRUE(record_alloc(block_at(0x5000'0100), 48, stack));
  std::vector<uint64_t> allocs;
  for_each_bucket(
      [](void* out, const BucketView& view) {
        if (view.stack[0] == 0x2000) {
          static_cast<std::vector<uint64_t>*>(out)->push_back(view.allocs);
        }
      },
      &allocs);
  EXPECT_EQ(allocs.size(), 4u);
  EXPECT_EQ(allocs, (std::vector<uint64_t>{2, 1, 1, 1}));  // the newest site comes first
}

}  // namespace
}  // namespace burrow::prof
