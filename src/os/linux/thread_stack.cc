// Where threads' stacks are, on Linux. See os/mappings.h and os/thread.h.
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "base/annotations.h"
#include "os/mappings.h"
#include "os/os.h"
#include "os/stack_memory.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

// Words from the thread pointer to the two that hold the stack's lower end and its bytes; 0 while
// that is not known. glibc's descriptor has no public form, but each release has them. Relaxed: it
// is found once, or by several to the same result.
constinit std::atomic<size_t> g_bounds_at{0};

constinit std::atomic<uintptr_t> g_first_low{0};    // relaxed: only falls
constinit std::atomic<uintptr_t> g_first_limit{0};  // release when set, acquire when read

BURROW_NO_SANITIZE uintptr_t word_at(uintptr_t base, size_t index) {
  return reinterpret_cast<const volatile uintptr_t*>(base)[index];
}

// A stack's lower end, its bytes and the bytes of its guard can be nothing else if they are whole
// pages around both this frame and the descriptor, which ends close behind the descriptor.
bool is_own_stack(const uintptr_t* words, uintptr_t self) {
  constexpr uintptr_t kFarthest = 65536;
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  uintptr_t low = words[0];
  uintptr_t bytes = words[1];
  uintptr_t guard = words[2];
  bool whole = low != 0 && (low | bytes | guard) % kOsPageSize == 0 && guard < bytes;
  bool around = low <= here && here - low < bytes && self - low < bytes;
  return whole && around && low + bytes - self < kFarthest;
}

}  // namespace

void learn_thread_stacks() {
  if (g_bounds_at.load(std::memory_order_relaxed) != 0 || is_first_thread()) {
    return;
  }
  constexpr size_t kMost = 256;
  auto self = static_cast<uintptr_t>(pthread_self());
  // Copies, as another C library may have a shorter descriptor; short, as malloc may have called.
  std::array<uintptr_t, 64> words;
  for (size_t first = 1; first < kMost; first += words.size() - 2) {
    if (!try_read(words.data(), self + first * sizeof(uintptr_t), sizeof(words))) {
      return;
    }
    for (size_t i = 0; i + 2 < words.size(); ++i) {
      if (is_own_stack(&words[i], self)) {
        g_bounds_at.store(first + i, std::memory_order_relaxed);
        return;
      }
    }
  }
}

StackBounds thread_stack(uintptr_t thread_pointer) {
  size_t at = g_bounds_at.load(std::memory_order_relaxed);
  if (at == 0) {
    return {};
  }
  uintptr_t low = word_at(thread_pointer, at);
  uintptr_t bytes = word_at(thread_pointer, at + 1);
  // Of the first thread there is nothing, and of a thread that the C library did not make who knows
  // what.
  bool good = low != 0 && thread_pointer - low < bytes && low + bytes > low;
  return good ? StackBounds{low, low + bytes} : StackBounds{};
}

StackBounds known_first_stack() {
  // Acquire: pairs with the release in first_stack.
  uintptr_t limit = g_first_limit.load(std::memory_order_acquire);
  return {g_first_low.load(std::memory_order_relaxed), limit};
}

StackBounds first_stack(uintptr_t sp, bool all) {
  StackBounds known = known_first_stack();
  if (all || !known.holds(sp)) {
    // The kernel puts the random bytes for the program at the stack's upper end.
    Mapping m = mapping_of(getauxval(AT_RANDOM));
    if (m.limit != 0) {
      known = {m.start, m.limit};
      g_first_low.store(m.start, std::memory_order_relaxed);
      g_first_limit.store(m.limit, std::memory_order_release);
    }
  }
  return known;
}

uintptr_t stack_end(uintptr_t sp) {
  auto descriptor = static_cast<uintptr_t>(pthread_self());
  if (StackBounds own = thread_stack(descriptor); own.holds(sp)) {
    // glibc keeps the descriptor at the upper end, also of a stack that the program brought.
    return sp < descriptor ? descriptor : own.limit;
  }
  if (uintptr_t end = stack_slot_end(sp); end != 0) {
    return end;
  }
  StackBounds first = known_first_stack();
  if (first.holds(sp)) {
    return first.limit;
  }
  // More than this below the end: another stack, with holes in between.
  constexpr uintptr_t kFarthest = uintptr_t{128} * 1024 * 1024;
  if (g_bounds_at.load(std::memory_order_relaxed) == 0 && descriptor - sp < kFarthest &&
      !is_first_thread()) {
    return descriptor;
  }
  // The first thread's stack may have grown since, or was never asked for.
  uintptr_t top = first.limit != 0 ? first.limit : getauxval(AT_RANDOM);
  return top - sp < kFarthest ? top : 0;
}

}  // namespace burrow::os
