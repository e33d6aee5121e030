// Allocates by as many distinct stacks as asked for, 20 calls deep; keeps all; waits for a line.
#include <cstdio>
#include <cstdlib>

namespace {

void** g_kept = nullptr;
long g_count = 0;

void right(unsigned path, int depth);

[[gnu::noinline]] void leaf(unsigned path) {
  g_kept[g_count++] = std::malloc(600);
  asm volatile("" : : "r"(path));
}

[[gnu::noinline]] void left(unsigned path, int depth) {
  if (depth == 0) {
    leaf(path);
  } else if ((path & 1) != 0) {
    right(path >> 1, depth - 1);
  } else {
    left(path >> 1, depth - 1);
  }
  asm volatile("");
}

[[gnu::noinline]] void right(unsigned path, int depth) {
  if (depth == 0) {
    leaf(path);
  } else if ((path & 1) != 0) {
    right(path >> 1, depth - 1);
  } else {
    left(path >> 1, depth - 1);
  }
  asm volatile("");
}

}  // namespace

int main(int /*argc*/, char** argv) {
  long count = std::atol(argv[1]);
  g_kept = static_cast<void**>(std::calloc(static_cast<size_t>(count), sizeof(void*)));
  for (long i = 0; i < count; ++i) {
    left(static_cast<unsigned>(i), 20);
  }
  std::puts("ready");
  std::fflush(stdout);
  (void)std::getchar();
}
