// Libraries that come and go: one takes the addresses of another, and its frames are longer.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "prof/unwind.h"

namespace burrow::prof {
namespace {

struct Capture {
  std::array<uintptr_t, kMaxDepth> pcs{};
  size_t depth = 0;
};

void capture(void* raw) {
  auto& c = *static_cast<Capture*>(raw);
  c.depth = capture_stack(c.pcs);
}

using PluginCall = void (*)(void (*f)(void*), void* argument);

// Loads, walks through and unloads the library; returns where its function was.
uintptr_t visit(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  auto call = reinterpret_cast<PluginCall>(dlsym(library, "plugin_call"));
  EXPECT_NE(call, nullptr);
  auto start = reinterpret_cast<uintptr_t>(call);
  for (int i = 0; i < 3; ++i) {
    Capture c;
    WalkCounts before = walk_counts();
    call(capture, &c);
    // Compared with libgcc's, and not given up on the way: a wrong row leads anywhere.
    EXPECT_EQ(walk_counts().by_rows - before.by_rows, 1u) << path;
    EXPECT_EQ(
        std::count_if(c.pcs.begin(), c.pcs.end(), [&](uintptr_t pc) { return pc - start < 256; }),
        1);
  }
  dlclose(library);
  return start;
}

void take_turns(const std::string& one, const std::string& other) {
  setenv("BURROW_DEBUG", "unwindcheck=1", 1);
  prime_unwinder();
  int met = 0;
  for (int round = 0; round < 20; ++round) {
    met += visit(one) == visit(other) ? 1 : 0;
  }
  EXPECT_GT(met, 0) << "the two were never at one address: nothing was tested";
}

TEST(UnwindModules, AnotherLibraryAtTheSameAddress) {
  take_turns(BURROW_TEST_PLUGINS "/plugin_short.so", BURROW_TEST_PLUGINS "/plugin_long.so");
}

TEST(UnwindModules, LibrariesWithoutBuildId) {
  take_turns(BURROW_TEST_PLUGINS "/plugin_short_anonymous.so",
             BURROW_TEST_PLUGINS "/plugin_long_anonymous.so");
}

}  // namespace
}  // namespace burrow::prof
