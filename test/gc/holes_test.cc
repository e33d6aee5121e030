// Blocks of dropped objects are handed out again, and no others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "burrow/gc.h"
#include "burrow/internal/object.h"
#include "burrow/memstats.h"
#include "counted.h"
#include "heap/arena.h"
#include "heap/size_classes.h"

namespace burrow {
namespace {

/// Bytes by which the heap in use may grow: spans that caches of other threads began.
constexpr uint64_t kSlack = 256 << 10;

template <typename Object>
using Slots = std::span<Object*>;

template <size_t Size>
struct Filled {
  unsigned char bytes[Size];

  void fill(size_t with) { std::memset(bytes, static_cast<int>(with % 251 + 1), Size); }

  bool has(size_t with) const {
    return std::all_of(std::begin(bytes), std::end(bytes),
                       [&](unsigned char b) { return b == with % 251 + 1; });
  }
};

/// Objects that were dropped, as complements, which keep nothing.
struct Dropped {
  std::set<uintptr_t> beside_kept;  ///< in spans that hold a kept object too
  std::set<uintptr_t> alone;        ///< in spans that are empty now

  size_t size() const { return beside_kept.size() + alone.size(); }
};

template <typename Object>
Dropped drop_some(Slots<Object> all, uint32_t kept_of_8) {
  std::mt19937 random(kept_of_8);
  std::vector<uintptr_t> dropped;
  std::set<const heap::MSpan*> kept_spans;
  for (Object*& object : all) {
    if (random() % 8 >= kept_of_8) {
      dropped.push_back(~reinterpret_cast<uintptr_t>(std::exchange(object, nullptr)));
    } else {
      kept_spans.insert(heap::span_of(object));
    }
  }
  Dropped sorted;
  for (uintptr_t hidden : dropped) {
    const heap::MSpan* span = heap::span_of(reinterpret_cast<const void*>(~hidden));
    (kept_spans.count(span) != 0 ? sorted.beside_kept : sorted.alone).insert(hidden);
  }
  return sorted;
}

// Drops some objects of many. New ones fill the holes beside kept objects, zeroed. The sweeper may
// give the pages of emptied spans back, so their number counts, not their addresses.
template <size_t Size>
void check_holes(uint32_t kept_of_8) {
  using Object = Filled<Size>;
  constexpr size_t kCount = 6000;
  Root<Object*> root(make_array<Object*>(kCount));
  Slots<Object> all(root.get(), kCount);
  Dropped dropped;
  on_own_thread([&] {
    for (size_t i = 0; i < kCount; ++i) {
      all[i] = make<Object>();
      all[i]->fill(i);
    }
    dropped = drop_some(all, kept_of_8);
  });
  const uint64_t inuse_when_full = read_mem_stats().heap_inuse;
  collect_all();
  on_own_thread([&] {
    size_t filled = 0;
    for (size_t i = 0; i < dropped.size(); ++i) {
      auto* object = make<Object>();
      ASSERT_TRUE(std::all_of(std::begin(object->bytes), std::end(object->bytes),
                              [](unsigned char b) { return b == 0; }));
      object->fill(1);
      filled += dropped.beside_kept.count(~reinterpret_cast<uintptr_t>(object));
    }
    // But the rest of the span that was begun last, and what words kept that look like pointers.
    size_t rest = heap::class_info(SizeClass(internal::object_class(Size))).capacity;
    EXPECT_GE(filled + rest, dropped.beside_kept.size() * 98 / 100)
        << Size << " bytes, " << kept_of_8;
    EXPECT_LE(read_mem_stats().heap_inuse, inuse_when_full * 102 / 100 + kSlack)
        << Size << " bytes, " << kept_of_8;
  });
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(all[i] == nullptr || all[i]->has(i));
  }
}

TEST(Holes, AreFilled) {
  for (uint32_t kept_of_8 : {1U, 4U, 7U}) {
    check_holes<16>(kept_of_8);
    check_holes<48>(kept_of_8);
    check_holes<144>(kept_of_8);
    check_holes<1152>(kept_of_8);
    check_holes<9472>(kept_of_8);
  }
}

}  // namespace
}  // namespace burrow
