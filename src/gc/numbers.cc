// Small numbers. See numbers.h.
#include "gc/numbers.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace burrow::gc {
namespace {

constexpr size_t kWords = 512;

// A set bit is a number that is taken. Acquire and release: who gets a number sees what its former
// owner did under it.
constinit std::array<std::atomic<uint64_t>, kWords> g_taken{};

}  // namespace

size_t take_number() {
  for (size_t i = 0; i < kWords; ++i) {
    uint64_t word = g_taken[i].load(std::memory_order_relaxed);
    while (word != UINT64_MAX) {
      auto bit = static_cast<size_t>(std::countr_one(word));
      if (g_taken[i].compare_exchange_weak(word, word | uint64_t{1} << bit,
                                           std::memory_order_acquire, std::memory_order_relaxed)) {
        return i * 64 + bit + 1;
      }
    }
  }
  return 0;
}

void give_number(size_t number) {
  if (number != 0) {
    size_t index = number - 1;
    g_taken[index / 64].fetch_and(~(uint64_t{1} << index % 64), std::memory_order_release);
  }
}

}  // namespace burrow::gc
