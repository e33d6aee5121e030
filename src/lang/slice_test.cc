// Slices behave as Go's do, and so does their growth.
#include "burrow/slice.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lang/collected_test.h"

namespace burrow {
namespace {

struct Node {
  Ptr<Node> next;
  int value = 7;
};

static_assert(internal::kPointerMap<Slice<int>>.kind == internal::ObjectKind::kExact);
static_assert(internal::kPointerMap<Slice<int>>.bits[0] == 1);
static_assert(internal::kPointerMap<Slice<Slice<Node>>>.bits[0] == 1);
static_assert(std::ranges::contiguous_range<Slice<int>>);
static_assert(std::ranges::borrowed_range<Slice<int>>);
static_assert(sizeof(Slice<int>) == 3 * sizeof(void*));

TEST(Slice, NullAndEmptyDiffer) {
  Slice<int> null;
  Slice<int> empty = make_slice<int>(0);
  EXPECT_TRUE(null == nullptr);
  EXPECT_FALSE(empty == nullptr);
  EXPECT_EQ(null, empty);
  EXPECT_EQ(null.len() + null.cap() + empty.len() + empty.cap(), 0U);
  EXPECT_TRUE(null.empty());
  EXPECT_EQ(append(null, 5), (Slice<int>{5}));
  EXPECT_TRUE(append(null) == nullptr);
}

TEST(Slice, ElementsAreDefaultValues) {
  Slice<Node> nodes = make_slice<Node>(3, 9);
  EXPECT_EQ(nodes.len(), 3U);
  EXPECT_EQ(nodes.cap(), 9U);
  for (const Node& node : nodes(0, 9)) {
    EXPECT_EQ(node.value, 7);
    EXPECT_EQ(node.next, nullptr);
  }
  // Also in what growth brings.
  nodes = append(nodes(0, 9), Node{nullptr, 1});
  for (const Node& node : nodes(10, nodes.cap())) {
    EXPECT_EQ(node.value, 7);
  }
}

TEST(Slice, AppendSharesTheArrayWhileThereIsRoom) {
  Slice<int> s = make_slice<int>(2, 4);
  Slice<int> longer = append(s, 8, 9);
  EXPECT_EQ(longer.data(), s.data());
  EXPECT_EQ(s(0, 4)[3], 9);
  Slice<int> moved = append(longer, 10);
  EXPECT_NE(moved.data(), s.data());
  moved[0] = 5;
  EXPECT_EQ(s[0], 0);
  EXPECT_EQ(moved, (Slice<int>{5, 0, 8, 9, 10}));
}

// Values that are elements which others take the places of.
TEST(Slice, AppendReadsAllBeforeItWrites) {
  Slice<std::string> texts{"a", "b", "c"};
  EXPECT_EQ(append(texts(0, 1), texts[2], texts[1]), (Slice<std::string>{"a", "c", "b"}));
  Slice<int> numbers{10, 11, 12};
  EXPECT_EQ(append(numbers(0, 1), numbers[2], numbers[1]), (Slice<int>{10, 12, 11}));
}

struct Field {
  int width;
  int Field::* member;
};

struct Deep {
  Field fields[2][2];
};

// The null pointer to a member is no zero.
TEST(Slice, PointersToMembersAreNull) {
  EXPECT_EQ(make_slice<int Field::*>(3)[1], nullptr);
  EXPECT_EQ(make_slice<Field>(3)[1].member, nullptr);
  EXPECT_EQ(make_slice<Deep>(3)[1].fields[1][1].member, nullptr);
  EXPECT_EQ(make_array<Field>(3)[1].member, nullptr);
  EXPECT_EQ((make_array<int Field::* [2]>(3)[1][1]), nullptr);
  EXPECT_EQ((make_array<int[4]>(3)[1][1]), 0);
  Slice<Field> grown = append(make_slice<Field>(3), Field{});
  for (const Field& field : grown(0, grown.cap())) {
    EXPECT_EQ(field.member, nullptr);
  }
}

TEST(Slice, AppendTakesOtherRanges) {
  Slice<int> s{1, 2};
  s = append(s, Slice<int>{3, 4});
  s = append(s, std::vector<int>{5});
  std::array<int, 2> more{6, 7};
  s = append(s, std::span<const int>(more));
  EXPECT_EQ(s, (Slice<int>{1, 2, 3, 4, 5, 6, 7}));
  s = append(s, s);
  EXPECT_EQ(s.len(), 14U);
  EXPECT_EQ(s[13], 7);
  // Go's way to take out an element.
  s = append(s(0, 1), s(2, 14));
  EXPECT_EQ(s(0, 3), (Slice<int>{1, 3, 4}));
}

TEST(Slice, CopyOverlapsBothWays) {
  Slice<int> s = make_slice<int>(6);
  std::iota(s.begin(), s.end(), 0);
  EXPECT_EQ(copy(s(1, 6), s), 5U);
  EXPECT_EQ(s, (Slice<int>{0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(copy(s, s(2, 6)), 4U);
  EXPECT_EQ(s, (Slice<int>{1, 2, 3, 4, 3, 4}));
  Slice<Ptr<int>> pointers = make_slice<Ptr<int>>(3);
  for (size_t i = 0; i < 3; ++i) {
    pointers[i] = make<int>(static_cast<int>(i));
  }
  copy(pointers(1, 3), pointers);
  EXPECT_EQ(*pointers[2] * 10 + *pointers[1], 10);
}

TEST(Slice, CutsKeepTheCapacityTheyAreGiven) {
  Slice<int> s = make_slice<int>(3, 10);
  EXPECT_EQ(s(1, 3).cap(), 9U);
  EXPECT_EQ(s(1, 8).len(), 7U);
  EXPECT_EQ(s(1, 3, 3).cap(), 2U);
  EXPECT_NE(append(s(1, 3, 3), 1).data(), s.data() + 1);
  // No pointer past the end, where another object may be.
  EXPECT_EQ(s(10, 10).data(), s.data());
  EXPECT_EQ(s(3, 3, 3).data(), s.data());
}

TEST(Slice, ConvertsToSpans) {
  Slice<int> s{1, 2, 3};
  std::span<int> span = s;
  span[1] = 5;
  EXPECT_EQ(s[1], 5);
  EXPECT_EQ(std::accumulate(s.begin(), s.end(), 0), 9);
  EXPECT_EQ((Slice<int>{1, 2} == Slice<int>{1, 3}), false);
  EXPECT_EQ((Slice<int>{1, 2} == Slice<int>{1, 2, 3}), false);
}

TEST(Slice, HoldsWhatHasADestructor) {
  Slice<std::string> s = make_slice<std::string>(2);
  EXPECT_EQ(s[1], "");
  for (int i = 0; i < 500; ++i) {
    s = append(s, std::string(40, static_cast<char>('a' + i % 26)));
  }
  s = append(s, s(2, 4));
  s = append(s(0, 1), s(2, s.len()));
  collect();
  EXPECT_EQ(s.len(), 503U);
  EXPECT_EQ(s[500], std::string(40, 'a' + 499 % 26));
  EXPECT_EQ(s[502], std::string(40, 'b'));

  struct Named {
    std::string name = "somebody whose name is longer than a string's own room";
    Ptr<Node> node;
  };

  Slice<Named> named{Named{}, Named{"b", make<Node>()}};
  wipe_stack_and_collect();
  EXPECT_EQ(named[1].node->value, 7);
  EXPECT_EQ(named[0].name.size(), 54U);
}

struct Counted {
  static inline std::atomic<int> made{0};
  static inline std::atomic<int> destroyed{0};
  int value = 3;

  Counted() { ++made; }

  Counted(const Counted& other) : value(other.value) { ++made; }

  Counted& operator=(const Counted&) = default;

  ~Counted() {
    EXPECT_EQ(value, 3);
    ++destroyed;
  }
};

TEST(Slice, DestroysElementsWhenNothingReachesTheirArray) {
  constexpr int kSlices = 100;
  in_deep_frame([] {
    for (int i = 0; i < kSlices; ++i) {
      Slice<Counted> s = make_slice<Counted>(3, 5);
      s = append(s(0, 5), Counted());  // grown: both arrays are to go
    }
  });
  EXPECT_GE(Counted::made, kSlices * 11);
  // Words that look like pointers may keep a few; a temporary is destroyed in its place.
  for (int i = 0; i < 200 && Counted::destroyed < Counted::made * 9 / 10; ++i) {
    wipe_stack_and_collect();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GE(Counted::destroyed, Counted::made * 9 / 10);
  EXPECT_LE(Counted::destroyed, Counted::made);
}

TEST(Slice, GrowsToWholeBlocks) {
  for (size_t size : {1, 4, 8, 24, 40, 100}) {
    size_t grown = internal::object_room(internal::grown_capacity(100, 101) * size) / size;
    EXPECT_GE(grown, 200U);
    EXPECT_EQ(internal::object_room(grown * size), internal::object_room(200 * size));
  }
  Slice<std::array<char, 24>> s;
  s = append(s, std::array<char, 24>{});
  EXPECT_EQ(s.cap(), 1U);  // 32 bytes
  s = append(s, std::array<char, 24>{});
  EXPECT_EQ(s.cap(), 2U);  // 48
  s = append(s, std::array<char, 24>{});
  EXPECT_EQ(s.cap(), 4U);  // 96
  s = append(make_slice<std::array<char, 24>>(5000), std::array<char, 24>{});
  EXPECT_EQ(s.cap(), (size_t{6442} * 24 + 8191) / 8192 * 8192 / 24);
}

TEST(Slice, GrowthIsOneObjectEach) {
  Slice<int> s = make_slice<int>(4);
  EXPECT_EQ(objects_made_by([&] { s = append(s, 1); }), 1U);
  EXPECT_EQ(objects_made_by([&] { s = append(s, 1, 2, 3); }), 0U);
  EXPECT_EQ(objects_made_by([&] { s = s(1, 3); }), 0U);
}

TEST(Slice, ElementsSurviveCollections) {
  struct Holder {
    Slice<Ptr<Node>> exact;
    Slice<Node*> raw;
  };

  static_assert(internal::kPointerMap<Holder>.kind == internal::ObjectKind::kExact);
  auto* holder = make<Holder>();
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i) {
    holder->exact = append(holder->exact, make<Node>(Node{nullptr, i}));
    holder->raw = append(holder->raw, make<Node>(Node{nullptr, -i}));
    if (i % 100 == 0) {
      collect();
    }
  }
  wipe_stack_and_collect();
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(holder->exact[i]->value, static_cast<int>(i));
    ASSERT_EQ(holder->raw[i]->value, -static_cast<int>(i));
  }
}

using SliceDeathTest = testing::Test;

// `death` ends with code 2 and with Go's words.
#define EXPECT_PANIC(death, words) \
  EXPECT_EXIT(death, testing::ExitedWithCode(2), "panic: runtime error: " words "\n")

TEST(SliceDeathTest, PanicsAsGoDoes) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Slice<int> s = make_slice<int>(3, 4);
  EXPECT_PANIC((void)s[5], "index out of range \\[5\\] with length 3");
  EXPECT_PANIC((void)s[static_cast<size_t>(-1)], "index out of range \\[-1\\]");
  EXPECT_PANIC((void)s(1, 6), "slice bounds out of range \\[:6\\] with capacity 4");
  EXPECT_PANIC((void)s(3, 2), "slice bounds out of range \\[3:2\\]");
  EXPECT_PANIC((void)s(0, 1, 5), "slice bounds out of range \\[::5\\] with capacity 4");
  EXPECT_PANIC((void)s(0, 3, 2), "slice bounds out of range \\[:3:2\\]");
  EXPECT_PANIC((void)s(2, 1, 3), "slice bounds out of range \\[2:1:\\]");
  EXPECT_PANIC((void)make_slice<int>(PTRDIFF_MAX), "makeslice: len out of range");
  EXPECT_PANIC((void)make_slice<int>(2, 1), "makeslice: cap out of range");
}

}  // namespace
}  // namespace burrow
