// Shared objects that come and go beside collections: their globals are roots as long as they are
// there, and nobody looks at what was unmapped.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "burrow/gc.h"

namespace burrow {
namespace {

struct Number {
  uint64_t value[4] = {};
};

constexpr size_t kRoots = size_t{1} << 20;

// Stores objects that nothing else refers to, and looks whether they are still what they were.
void load_use_and_unload(uint64_t round) {
  void* object = dlopen(BURROW_TEST_LOADED, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(object, nullptr) << dlerror();
  auto** roots = static_cast<Number**>(dlsym(object, "loaded_roots"));
  ASSERT_NE(roots, nullptr) << dlerror();
  constexpr size_t kStep = kRoots / 64;
  for (size_t i = 0; i < kRoots; i += kStep) {
    roots[i] = make<Number>();
    roots[i]->value[3] = round + i;
  }
  for (int i = 0; i < 100; ++i) {
    make_array<Number>(100);
  }
  for (size_t i = 0; i < kRoots; i += kStep) {
    ASSERT_EQ(roots[i]->value[3], round + i);
  }
  ASSERT_EQ(dlclose(object), 0);
}

TEST(Loading, AndUnloadingBesideCycles) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done.load()) {
      collect();
    }
  });
  for (uint64_t round = 0; round < 300 && !HasFatalFailure(); ++round) {
    load_use_and_unload(round);
  }
  done.store(true);
  collector.join();
}

}  // namespace
}  // namespace burrow
