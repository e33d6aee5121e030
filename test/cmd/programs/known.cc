// A program whose allocations are known; the tests of the command read its profile.
//
// usage: known [COUNT]. Without COUNT, the figures that the tests expect at rate 1; with it, so
// many blocks at each site, for sampling.
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace known {

std::vector<void*> g_kept;

// The pointer is used after the call, which is therefore no jump, and has a frame.
__attribute__((noinline)) void* keep(void* block) {
  if (g_kept.size() < g_kept.capacity()) {
    g_kept.push_back(block);
  }
  return block;
}

extern "C" __attribute__((noinline, visibility("default"))) void* known_malloc(size_t bytes) {
  return keep(std::malloc(bytes));  // line: malloc
}

template <class T>
__attribute__((noinline, visibility("default"))) T* make_array(size_t count) {
  return static_cast<T*>(keep(new T[count]));  // line: new
}

namespace {

inline __attribute__((always_inline)) void* innermost(size_t bytes) {
  return std::calloc(1, bytes);  // line: inlined
}

struct Maker {
  __attribute__((noinline)) void* operator()(size_t bytes) const {
    return keep(innermost(bytes));  // line: caller
  }
};

__attribute__((noinline)) void free_half() {
  for (size_t i = 0; i < g_kept.size(); i += 2) {
    std::free(g_kept[i]);
  }
}

}  // namespace
}  // namespace known

int main(int argc, char** argv) {
  size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  known::g_kept.reserve(3 * count);
  for (size_t i = 0; i < count; ++i) {
    known::known_malloc(1000);
  }
  for (size_t i = 0; i < count; ++i) {
    known::make_array<long>(250);
  }
  for (size_t i = 0; i < count; ++i) {
    known::Maker()(3000);
  }
  known::free_half();
  return 0;
}
