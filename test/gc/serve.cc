// Holds collected objects, and serves its profile: prints the URL, drops the objects at the first
// line of input, and ends at the second.
#include <array>
#include <cstddef>
#include <cstdio>

#include "burrow/debug.h"
#include "burrow/gc.h"

constexpr size_t kBytes = 16384;
// With external linkage: nobody reads it, and the compiler may drop stores to what it knows all of.
extern std::array<char*, 2000> held;
std::array<char*, 2000> held;

namespace {

// The objects' site in the profile.
__attribute__((noinline)) void allocate() {
  for (char*& object : held) {
    object = burrow::make_array<char>(kBytes);
  }
}

void wait_for_line() {
  for (int c = std::getchar(); c != '\n' && c != EOF; c = std::getchar()) {
  }
}

}  // namespace

int main() {
  burrow::set_gc_percent(-1);
  allocate();
  burrow::DebugServer server = burrow::serve_debug("127.0.0.1:0");
  std::printf("%s\n", server.url.c_str());
  std::fflush(stdout);
  wait_for_line();
  held.fill(nullptr);
  std::puts("dropped");
  std::fflush(stdout);
  wait_for_line();
  return 0;
}
