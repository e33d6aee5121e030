// Interface values: what is inline, what is boxed, and what they say of their types.
#include "burrow/any.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "burrow/func.h"
#include "burrow/slice.h"
#include "lang/collected_test.h"

namespace burrow {
namespace {

struct Incomparable {
  int x;
};

struct Node {
  Ptr<Node> next;
  int value = 0;
};

enum class Color : uint8_t { kRed, kBlue };

static_assert(internal::kPointerMap<Any>.kind == internal::ObjectKind::kExact);
static_assert(internal::kPointerMap<Any>.bits[0] == 2);

TEST(Any, NoneHasNoType) {
  Any none;
  EXPECT_EQ(none.type(), nullptr);
  EXPECT_FALSE(none.has_value());
  EXPECT_TRUE(none == nullptr);
  EXPECT_TRUE(none == Any(nullptr));
  EXPECT_FALSE(none == Any(0));
  EXPECT_EQ(none.try_as<int>(), nullptr);
}

TEST(Any, WordsNeedNoAllocation) {
  Node* node = make<Node>();
  Any a;
  size_t made = objects_made_by([&] {
    a = 1;
    EXPECT_EQ(a.as<int>(), 1);
    a = int64_t{-5};
    EXPECT_EQ(a.as<int64_t>(), -5);
    a = uint8_t{200};
    EXPECT_EQ(a.as<uint8_t>(), 200);
    a = UINT64_MAX;
    EXPECT_EQ(a.as<uint64_t>(), UINT64_MAX);
    a = true;
    EXPECT_EQ(a.as<bool>(), true);
    a = 2.5;
    EXPECT_EQ(a.as<double>(), 2.5);
    a = 2.5F;
    EXPECT_EQ(a.as<float>(), 2.5F);
    a = Color::kBlue;
    EXPECT_EQ(a.as<Color>(), Color::kBlue);
    a = node;
    EXPECT_EQ(a.as<Node*>(), node);
    Ptr<Node> field = node;
    a = field;
    EXPECT_EQ(a.as<Node*>(), node);
    a = "literal";
    EXPECT_STREQ(a.as<const char*>(), "literal");
    Any b = a;
    EXPECT_EQ(b, a);
  });
  EXPECT_EQ(made, 0U);
}

TEST(Any, LargerValuesAreBoxedOnce) {
  std::array<int64_t, 3> value{1, 2, 3};
  Any a;
  EXPECT_EQ(objects_made_by([&] { a = value; }), 1U);
  EXPECT_EQ(objects_made_by([&] {
              Any b = a;
              EXPECT_EQ((&b.as<std::array<int64_t, 3>>()), (&a.as<std::array<int64_t, 3>>()));
            }),
            0U);
  EXPECT_EQ((a.as<std::array<int64_t, 3>>()), value);
  EXPECT_NE((a.try_as<std::array<int64_t, 3>>()), nullptr);
  EXPECT_EQ(a.try_as<int64_t>(), nullptr);
}

TEST(Any, MoveOnlyValuesAreTaken) {
  Any a = std::make_unique<int>(5);
  EXPECT_EQ(*a.as<std::unique_ptr<int>>(), 5);
}

TEST(Any, MismatchThrows) {
  Any a = 5;
  try {
    (void)a.as<double>();
    FAIL() << "no exception";
  } catch (const std::bad_cast& error) {
    EXPECT_STREQ(error.what(), "interface conversion: interface is int, not double");
  }
  try {
    (void)Any().as<Incomparable>();
    FAIL() << "no exception";
  } catch (const BadAny& error) {
    EXPECT_NE(std::string_view(error.what()).find("interface is nil, not burrow::"),
              std::string_view::npos);
  }
}

TEST(Any, TypesAreOneObjectEach) {
  EXPECT_EQ(Any(5).type(), type_of<int>());
  EXPECT_NE(Any(5).type(), type_of<long>());
  EXPECT_EQ(type_of<int>()->name(), "int");
  EXPECT_EQ(type_of<double>()->size(), sizeof(double));
  EXPECT_NE(type_of<std::vector<int>>()->name().find("vector<int"), std::string_view::npos);
}

TEST(Any, EqualityGoesByTypeAndValue) {
  EXPECT_EQ(Any(5), Any(5));
  EXPECT_FALSE(Any(5) == Any(6));
  EXPECT_FALSE(Any(5) == Any(5L));
  EXPECT_EQ(Any(std::string("a")), Any(std::string("a")));
  EXPECT_FALSE(Any(std::string("a")) == Any(std::string("b")));
  EXPECT_EQ(Any(Slice<int>{1, 2}), Any(Slice<int>{1, 2}));
  EXPECT_FALSE(Any(0.0) == Any(-1.0));
  EXPECT_EQ(Any(0.0), Any(-0.0));
  // Has an operator== that does not compile.
  Any a = std::vector<Incomparable>(1);
  EXPECT_EQ(a.type()->equal(), nullptr);
}

TEST(Any, BoxesSurviveInExactObjects) {
  struct Holder {
    Any value;
    Any number;
  };

  static_assert(internal::kPointerMap<Holder>.kind == internal::ObjectKind::kExact);
  Slice<Ptr<Holder>> holders = make_slice<Ptr<Holder>>(200);
  for (size_t i = 0; i < holders.len(); ++i) {
    holders[i] = make<Holder>();
    holders[i]->value = std::to_string(i);
    // A number that looks like a pointer is no trouble.
    holders[i]->number = reinterpret_cast<uintptr_t>(holders[i].get()) + 1;
  }
  wipe_stack_and_collect();
  for (size_t i = 0; i < holders.len(); ++i) {
    ASSERT_EQ(holders[i]->value.as<std::string>(), std::to_string(i));
  }
}

TEST(Any, InlinePointersKeepObjects) {
  Any* a = make<Any>();
  in_deep_frame([&] { *a = make<Node>(Node{nullptr, 42}); });
  wipe_stack_and_collect();
  (void)objects_made_by([] {
    for (int i = 0; i < 1000; ++i) {
      (void)make<Node>();
    }
  });
  EXPECT_EQ(a->as<Node*>()->value, 42);
}

TEST(AnyDeathTest, ComparingTheUncomparableEndsTheProgram) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Any a = Incomparable{1};
  EXPECT_EXIT((void)(a == a), testing::ExitedWithCode(2),
              "panic: runtime error: comparing uncomparable type .*Incomparable");
}

}  // namespace
}  // namespace burrow
