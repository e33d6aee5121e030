// What gc.h has besides make: weak pointers, roots, the allocator, and the two macros.
#include "burrow/gc.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "burrow/memstats.h"
#include "gc/specials.h"
#include "lang/collected_test.h"

namespace test {

struct Node {
  burrow::Ptr<Node> next;
  int value = 0;
};

// More than type_map can find out by itself: private members, a base.
class Base {
 public:
  explicit Base(Node* node) : inherited(node) {}

  burrow::Ptr<Node> inherited;
};

class Listed : public Base {
 public:
  Listed(Node* a, Node* b) : Base(a), number_(reinterpret_cast<uintptr_t>(b)), pair_{b, 3} {}

  [[nodiscard]] int sum() const { return inherited->value + pair_.next->value + pair_.value; }

 private:
  friend struct burrow::type_map<Listed>;

  uintptr_t number_;
  Node pair_;
};

struct WithPlain {
  virtual ~WithPlain() = default;
  Node* plain = nullptr;
  int number = 0;
};

struct Checksum {
  explicit Checksum(const Node* node) : words{reinterpret_cast<uintptr_t>(node)} {}

  uintptr_t words[4];
};

struct Inherits : Node {
  int more = 0;
};

}  // namespace test

BURROW_FIELDS(test::Listed, inherited, pair_);
BURROW_FIELDS(test::WithPlain, plain);
BURROW_OPAQUE(test::Checksum);

namespace burrow {
namespace {

using internal::kPointerMap;
using internal::ObjectKind;
using test::Node;

static_assert(kPointerMap<test::Listed>.kind == ObjectKind::kExact);
static_assert(kPointerMap<test::Listed>.bits[0] == 0b101);
static_assert(kPointerMap<test::WithPlain>.kind == ObjectKind::kRaw);
static_assert(kPointerMap<test::Checksum>.kind == ObjectKind::kNoscan);
static_assert(kPointerMap<test::Inherits>.kind == ObjectKind::kRaw);
static_assert(kPointerMap<Weak<Node>>.bits[0] == 1);
static_assert(kPointerMap<Root<Node>>.kind == ObjectKind::kNoscan);

// Objects that the collector would take for reachable through a stale word are few.
constexpr int kMany = 50;
constexpr int kFew = 2;

TEST(Fields, ListedMembersAreFollowedAndOthersNot) {
  auto* listed = make<test::Listed>(make<Node>(Node{nullptr, 10}), make<Node>(Node{nullptr, 20}));
  wipe_stack_and_collect();
  EXPECT_EQ(listed->sum(), 33);
}

TEST(Fields, OpaqueObjectsKeepNothing) {
  auto* sums = new std::vector<test::Checksum*>;
  auto* weak = new std::vector<Weak<Node>>;
  in_deep_frame([&] {
    for (int i = 0; i < kMany; ++i) {
      Node* node = make<Node>();
      sums->push_back(make<test::Checksum>(node));
      weak->emplace_back(node);
    }
  });
  wipe_stack_and_collect();
  int alive = 0;
  for (const Weak<Node>& w : *weak) {
    alive += w.get() != nullptr ? 1 : 0;
  }
  EXPECT_LE(alive, kFew);
  delete weak;
  delete sums;
}

TEST(Ptr, ConvertsAsPointersDo) {
  struct Base {
    int a = 1;
  };

  struct Other {
    int b = 2;
  };

  struct Derived : Other, Base {};

  Ptr<Derived> derived = make<Derived>();
  Ptr<Base> base = derived;
  EXPECT_EQ(base->a, 1);
  EXPECT_EQ(static_cast<void*>(base), static_cast<void*>(static_cast<Base*>(derived.get())));
  Ptr<Other> other;
  other = derived;
  EXPECT_EQ(other->b, 2);
  Ptr<const Base> constant = base;
  constant = derived;
  Ptr<void> any = base;
  any = nullptr;
  EXPECT_EQ(constant, derived);
  EXPECT_EQ(any, nullptr);
  static_assert(!std::is_constructible_v<Ptr<Derived>, Ptr<Base>>);
  static_assert(!std::is_assignable_v<Ptr<Base>, Ptr<const Base>>);
  base = {};
  EXPECT_EQ(base, nullptr);
}

TEST(Weak, IsClearedWhenNothingElseReaches) {
  std::vector<Weak<Node>> weak;
  std::vector<Node*> kept;
  in_deep_frame([&] {
    for (int i = 0; i < 2 * kMany; ++i) {
      Node* node = make<Node>(Node{nullptr, i});
      weak.emplace_back(node);
      if (i % 2 == 0) {
        kept.push_back(node);
      }
    }
  });
  wipe_stack_and_collect();
  int alive = 0;
  for (int i = 0; i < 2 * kMany; ++i) {
    const Node* node = weak[static_cast<size_t>(i)].get();
    if (i % 2 == 0) {
      ASSERT_NE(node, nullptr);
      EXPECT_EQ(node, kept[static_cast<size_t>(i / 2)]);
      EXPECT_EQ(node->value, i);
    } else {
      alive += node != nullptr ? 1 : 0;
    }
  }
  EXPECT_LE(alive, kFew);
  EXPECT_EQ(Weak<Node>().get(), nullptr);
  EXPECT_EQ(Weak<Node>(nullptr).get(), nullptr);
}

TEST(Weak, PointsIntoTheMiddleToo) {
  Node* node = make<Node>();
  Weak<int> weak(&node->value);
  wipe_stack_and_collect();
  EXPECT_EQ(weak.get(), &node->value);
}

TEST(Weak, MayBeAMemberOfTheObjectItself) {
  struct Self {
    Weak<Self> self;
    Ptr<Self> next;
  };

  static_assert(kPointerMap<Self>.kind == ObjectKind::kExact);
  Ptr<Self> head;
  for (int i = 0; i < kMany; ++i) {
    auto* object = make<Self>();
    object->self = Weak<Self>(object);
    object->next = head;
    head = object;
  }
  wipe_stack_and_collect();
  int count = 0;
  for (Self* at = head; at != nullptr; at = at->next, ++count) {
    ASSERT_EQ(at->self.get(), at);
  }
  EXPECT_EQ(count, kMany);
}

TEST(Weak, CellsOfDroppedWeakPointersAreForgotten) {
  Node* node = make<Node>();
  size_t before = gc::waiting_specials();
  in_deep_frame([&] {
    for (int i = 0; i < 1000; ++i) {
      Weak<Node> weak(node);
      ASSERT_EQ(weak.get(), node);
    }
  });
  wipe_stack_and_collect();
  EXPECT_LE(gc::waiting_specials(), before + kFew);
  keep_alive(node);
}

struct Resurrects {
  Weak<Node> weak;
  std::atomic<int>* seen;

  Resurrects(Node* node, std::atomic<int>* s) : weak(node), seen(s) {}

  ~Resurrects() {
    const Node* node = weak.get();
    *seen += node != nullptr && node->value == 5 ? 1 : 0;
  }
};

TEST(Weak, CellsHeldByDestructorsStay) {
  // Static: what a stale pointer keeps is destroyed when the test is over.
  static std::atomic<int> seen{0};
  seen = 0;
  Node* node = make<Node>(Node{nullptr, 5});
  in_deep_frame([&] {
    for (int i = 0; i < kMany; ++i) {
      (void)make<Resurrects>(node, &seen);
    }
  });
  for (int i = 0; i < 1000 && seen.load() < kMany - kFew; ++i) {
    wipe_stack_and_collect(1);
    std::this_thread::yield();
  }
  EXPECT_GE(seen.load(), kMany - kFew);
  keep_alive(node);
}

TEST(Weak, GetIsSafeBesideACollection) {
  // Whoever got an object has it, whatever the collector decides.
  std::atomic<bool> done{false};
  std::thread collecting([&] {
    while (!done.load()) {
      collect();
    }
  });
  std::vector<Weak<Node>> weak(16);
  int made = 0;
  for (int i = 0; i < 3000; ++i) {
    Weak<Node>& w = weak[static_cast<size_t>(i) % weak.size()];
    Node* node = w.get();
    if (node == nullptr) {
      w = Weak<Node>(make<Node>(Node{nullptr, 77}));
      ++made;
      continue;
    }
    std::this_thread::yield();
    ASSERT_EQ(node->value, 77);
  }
  done = true;
  collecting.join();
  EXPECT_GE(made, 16);
}

TEST(Root, KeepsFromMemoryThatIsNotLookedAt) {
  using Roots = std::array<Root<Node>, 500>;
  void* memory =
      mmap(nullptr, sizeof(Roots), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* roots = new (memory) Roots;
  std::vector<Weak<Node>> weak;
  in_deep_frame([&] {
    for (size_t i = 0; i < roots->size(); ++i) {
      (*roots)[i] = make<Node>(Node{nullptr, static_cast<int>(i)});
      weak.emplace_back((*roots)[i]);
    }
  });
  wipe_stack_and_collect();
  for (size_t i = 0; i < roots->size(); ++i) {
    ASSERT_NE(weak[i].get(), nullptr);
    ASSERT_EQ((*roots)[i]->value, static_cast<int>(i));
  }
  Root<Node> copy = (*roots)[0];
  Root<Node> moved = std::move((*roots)[1]);
  in_deep_frame([&] { roots->~Roots(); });
  munmap(memory, sizeof(Roots));
  wipe_stack_and_collect();
  int alive = 0;
  for (const Weak<Node>& w : weak) {
    alive += w.get() != nullptr ? 1 : 0;
  }
  EXPECT_GE(alive, 2);
  // More than a few: a reused malloc block may still hold an array of an earlier test's pointers.
  EXPECT_LE(alive, 2 + 50);
  EXPECT_EQ(copy->value, 0);
  EXPECT_EQ(moved->value, 1);
}

template <class T>
using Vector = std::vector<T, allocator<T>>;

TEST(Allocator, ContainersAreCollectedMemory) {
  Vector<Ptr<Node>> nodes;
  Vector<Node> values;
  std::list<Node*, allocator<Node*>> list;
  std::map<int, Node*, std::less<>, allocator<std::pair<const int, Node*>>> map;
  std::unordered_map<int, Ptr<Node>, std::hash<int>, std::equal_to<>,
                     allocator<std::pair<const int, Ptr<Node>>>>
      table;
  std::basic_string<char, std::char_traits<char>, allocator<char>> text;
  size_t made = objects_made_by([&] {
    for (int i = 0; i < kMany; ++i) {
      nodes.push_back(make<Node>(Node{nullptr, i}));
      values.push_back(Node{make<Node>(Node{nullptr, i}), 0});
      list.push_back(make<Node>(Node{nullptr, i}));
      map[i] = make<Node>(Node{nullptr, i});
      table[i] = make<Node>(Node{nullptr, i});
      text += "0123456789";
    }
  });
  EXPECT_GE(made, static_cast<size_t>(8 * kMany));  // nodes of three containers, and the objects
  wipe_stack_and_collect();
  auto in_list = list.begin();
  for (int i = 0; i < kMany; ++i) {
    ASSERT_EQ(nodes[static_cast<size_t>(i)]->value, i);
    ASSERT_EQ(values[static_cast<size_t>(i)].next->value, i);
    ASSERT_EQ((*in_list++)->value, i);
    ASSERT_EQ(map[i]->value, i);
    ASSERT_EQ(table[i]->value, i);
  }
  EXPECT_EQ(text.size(), 10U * kMany);
}

TEST(MemStats, CoversBothHeaps) {
  constexpr size_t kCount = 1000;
  collect();
  MemStats before = read_mem_stats();
  void* block = std::malloc(100'000);
  keep_alive(block);  // or the compiler leaves it out
  auto* nodes = new std::vector<Node*>;
  nodes->reserve(kCount);
  MemStats empty = read_mem_stats();
  for (size_t i = 0; i < kCount; ++i) {
    nodes->push_back(make<Node>());
  }
  auto* large = make_array<char>(100'000);
  MemStats full = read_mem_stats();
  EXPECT_GE(empty.heap_alloc - before.heap_alloc, 100'000U);
  EXPECT_EQ(full.mallocs - empty.mallocs, kCount + 1);
  EXPECT_GE(full.total_alloc - empty.total_alloc, kCount * sizeof(Node) + 100'000);
  EXPECT_EQ(full.by_size[0].size, 16U);
  EXPECT_EQ(full.by_size[0].mallocs - empty.by_size[0].mallocs, kCount);
  EXPECT_EQ(full.alloc, full.heap_alloc);
  EXPECT_EQ(full.mallocs - full.frees, full.heap_objects);
  EXPECT_EQ(full.heap_sys, full.heap_inuse + full.heap_idle);
  EXPECT_GT(full.gc_sys, 0U);
  EXPECT_GE(full.sys, full.heap_sys + full.gc_sys);
  EXPECT_TRUE(full.enable_gc);
  keep_alive(large);

  delete nodes;
  std::free(block);
  large = nullptr;
  wipe_stack_and_collect();
  MemStats after = read_mem_stats();
  EXPECT_GE(after.frees - full.frees, kCount / 2);  // stale words may keep some
  EXPECT_GE(after.num_gc, full.num_gc + 2);
  EXPECT_GE(after.num_forced_gc, full.num_forced_gc + 2);
  EXPECT_GT(after.last_gc, full.last_gc);
  EXPECT_GT(after.pause_total_ns, full.pause_total_ns);
  EXPECT_GT(after.pause_ns[(after.num_gc + 255) % 256], 0U);
  EXPECT_GE(after.pause_end_ns[(after.num_gc + 255) % 256], full.last_gc);
  EXPECT_GT(after.next_gc, 0U);
  EXPECT_GT(after.gc_cpu_fraction, 0.0);
  EXPECT_LE(after.gc_cpu_fraction, 1.0);
  EXPECT_FALSE(set_gc_percent(-1) < 0);
  EXPECT_FALSE(read_mem_stats().enable_gc);
  EXPECT_EQ(set_gc_percent(100), -1);
}

TEST(Objects, SmallArraysShareARun) {
  // Each used to take a run of its own, and to leave the rest of it unused.
  MemStats before = read_mem_stats();
  for (int i = 0; i < 1000; ++i) {
    (void)make_array<char>(40);
  }
  MemStats after = read_mem_stats();
  EXPECT_LE(after.heap_inuse, before.heap_inuse + 200'000);
}

}  // namespace
}  // namespace burrow
