// Holds so many MB live, on its stack and in a variable, allocates beside it, and collects twice.
#include <array>
#include <cstdio>

#include "burrow/gc.h"

namespace {

constexpr size_t kMiB = 1024 * 1024;
constexpr size_t kLive = 64;
constexpr size_t kChurn = 512;

struct Page {
  Page* next;
  std::array<char, 4000> bytes;
};

// Read by the collector only.
std::array<char, 24 * kMiB> g_variable{};

Page* build() {
  Page* first = nullptr;
  for (size_t i = 0; i < kLive * kMiB / 4096; ++i) {
    auto* page = burrow::make<Page>();
    page->next = first;
    first = page;
  }
  return first;
}

// Its frame is what the trace must show as stack.
__attribute__((noinline)) void run() {
  std::array<char, 6 * kMiB> frame;
  frame.fill(1);
  asm volatile("" : : "r"(frame.data()), "r"(g_variable.data()) : "memory");
  Page* first = build();
  g_variable[0] = 1;
  burrow::collect();
  for (size_t i = 0; i < kChurn * kMiB / 4096; ++i) {
    asm volatile("" : : "r"(burrow::make<Page>()) : "memory");
  }
  burrow::collect();
  size_t pages = 0;
  for (const Page* at = first; at != nullptr; at = at->next) {
    ++pages;
  }
  std::printf("%zu pages, %d, %d\n", pages, frame[frame.size() / 2], g_variable[pages]);
}

}  // namespace

int main() {
  run();
  return 0;
}
