// Func values: shared captures, no allocation where none is needed, null.
#include "burrow/func.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "burrow/slice.h"
#include "lang/collected_test.h"

namespace burrow {
namespace {

int twice(int x) {
  return 2 * x;
}

struct Node {
  Ptr<Node> next;
  int value = 0;

  [[nodiscard]] int get() const { return value; }
};

static_assert(internal::kPointerMap<Func<void()>>.bits[0] == 2);

TEST(Func, NullIsNull) {
  Func<int(int)> f;
  EXPECT_TRUE(f == nullptr);
  EXPECT_FALSE(f);
  f = twice;
  EXPECT_FALSE(f == nullptr);
  f = nullptr;
  EXPECT_TRUE(f == nullptr);
  int (*no_function)(int) = nullptr;
  EXPECT_TRUE((Func<int(int)>(no_function) == nullptr));
  EXPECT_TRUE((Func<int(int)>(std::function<int(int)>()) == nullptr));
  EXPECT_TRUE((Func<int(const Node&)>(static_cast<int (Node::*)() const>(nullptr)) == nullptr));
}

TEST(Func, SmallCapturesNeedNoAllocation) {
  Func<int(int)> f;
  int seven = 7;
  Node* node = make<Node>(Node{nullptr, 3});
  size_t made = objects_made_by([&] {
    f = twice;
    EXPECT_EQ(f(4), 8);
    f = [](int x) { return x + 1; };
    EXPECT_EQ(f(4), 5);
    f = [seven](int x) { return x + seven; };
    EXPECT_EQ(f(4), 11);
    f = [node](int x) { return x + node->value; };
    EXPECT_EQ(f(4), 7);
    Func<int(int)> g = f;
    EXPECT_EQ(g(1), 4);
  });
  EXPECT_EQ(made, 0U);
}

TEST(Func, LargerCapturesAreOneObject) {
  std::array<int, 10> values{1, 2, 3};
  Func<int(size_t)> f;
  EXPECT_EQ(objects_made_by([&] { f = [values](size_t i) { return values[i]; }; }), 1U);
  EXPECT_EQ(f(2), 3);
}

TEST(Func, CopiesShareWhatTheyCaptured) {
  int n = 0;
  Func<int()> count = [n]() mutable { return ++n; };
  Func<int()> same = count;
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(same(), 2);
  const Func<int()> constant = same;
  EXPECT_EQ(constant(), 3);
}

TEST(Func, ArgumentsAndResultsPassThrough) {
  Func<std::string(std::string, int&, std::unique_ptr<int>)> f = [](std::string s, int& n,
                                                                    std::unique_ptr<int> p) {
    n += *p;
    return s + "!";
  };
  int n = 1;
  EXPECT_EQ(f("hello", n, std::make_unique<int>(4)), "hello!");
  EXPECT_EQ(n, 5);
  Func<int&(int&)> identity = [](int& x) -> int& { return x; };
  EXPECT_EQ(&identity(n), &n);
  Func<void(int)> ignores_result = twice;
  ignores_result(1);
  Func<int(const Node&)> member = &Node::get;
  EXPECT_EQ(member(Node{nullptr, 6}), 6);
  Func<long(short)> converts = twice;
  EXPECT_EQ(converts(3), 6);
  Func<int()> moves_only = [p = std::make_unique<int>(9)] { return *p; };
  EXPECT_EQ(moves_only(), 9);
}

TEST(Func, CapturesSurviveCollections) {
  struct Holder {
    Func<int()> in_word;
    Func<int()> boxed;
  };

  static_assert(internal::kPointerMap<Holder>.kind == internal::ObjectKind::kExact);
  auto* holder = make<Holder>();
  in_deep_frame([&] {
    Node* node = make<Node>(Node{nullptr, 10});
    Node* other = make<Node>(Node{node, 20});
    holder->in_word = [node] { return node->value; };
    holder->boxed = [other, n = std::string("x")] {
      return other->value + other->next->value + static_cast<int>(n.size());
    };
  });
  wipe_stack_and_collect();
  EXPECT_EQ(holder->in_word(), 10);
  EXPECT_EQ(holder->boxed(), 31);
}

std::atomic<int> g_destroyed{0};

struct Noisy {
  char more[16] = {};

  Noisy() = default;

  Noisy(const Noisy& /*other*/) {}

  Noisy& operator=(const Noisy&) = delete;

  ~Noisy() {
    if (more[0] == 1) {
      g_destroyed.fetch_add(1);
    }
  }
};

TEST(Func, DestructorsOfCapturesRun) {
  constexpr int kCount = 20;
  in_deep_frame([] {
    for (int i = 0; i < kCount; ++i) {
      Noisy noisy;
      Func<void()> f = [noisy]() mutable { noisy.more[0] = 1; };
      f();
    }
  });
  // All but what a stale word somewhere keeps.
  for (int i = 0; i < 1000 && g_destroyed.load() < kCount - 2; ++i) {
    wipe_stack_and_collect(1);
    std::this_thread::yield();
  }
  EXPECT_GE(g_destroyed.load(), kCount - 2);
}

TEST(FuncDeathTest, CallingNullEndsTheProgram) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Func<void()> f;
  EXPECT_EXIT(f(), testing::ExitedWithCode(2),
              "panic: runtime error: invalid memory address or nil pointer dereference");
}

}  // namespace
}  // namespace burrow
