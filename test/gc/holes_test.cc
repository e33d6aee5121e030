// Blocks of dropped objects are handed out again, and no others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "burrow/gc.h"
#include "burrow/internal/object.h"
#include "counted.h"
#include "heap/size_classes.h"

namespace burrow {
namespace {

template <size_t Size>
struct Filled {
  unsigned char bytes[Size];

  void fill(size_t with) { std::memset(bytes, static_cast<int>(with % 251 + 1), Size); }

  bool has(size_t with) const {
    return std::all_of(std::begin(bytes), std::end(bytes),
                       [&](unsigned char b) { return b == with % 251 + 1; });
  }
};

// Drops some objects of many: new ones come where those lay, zeroed, and nowhere else.
template <size_t Size>
void check_holes(uint32_t kept_of_8) {
  using Object = Filled<Size>;
  constexpr size_t kCount = 6000;
  Root<Object*> all(make_array<Object*>(kCount));
  std::set<uintptr_t> dropped;  // as their complements, which keep nothing
  std::mt19937 random(kept_of_8);
  on_own_thread([&] {
    for (size_t i = 0; i < kCount; ++i) {
      all.get()[i] = make<Object>();
      all.get()[i]->fill(i);
    }
    for (size_t i = 0; i < kCount; ++i) {
      if (random() % 8 >= kept_of_8) {
        dropped.insert(~reinterpret_cast<uintptr_t>(std::exchange(all.get()[i], nullptr)));
      }
    }
  });
  collect_all();
  on_own_thread([&] {
    size_t reused = 0;
    for (size_t i = 0; i < dropped.size(); ++i) {
      auto* object = make<Object>();
      ASSERT_TRUE(std::all_of(std::begin(object->bytes), std::end(object->bytes),
                              [](unsigned char b) { return b == 0; }));
      object->fill(1);
      reused += dropped.count(~reinterpret_cast<uintptr_t>(object));
    }
    // But the rest of the span that was begun last, and what words kept that look like pointers.
    size_t rest = heap::class_info(SizeClass(internal::object_class(Size))).capacity;
    EXPECT_GE(reused + rest, dropped.size() * 98 / 100) << Size << " bytes, " << kept_of_8;
  });
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(all.get()[i] == nullptr || all.get()[i]->has(i));
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
