// The C library's lists of threads, found by what it tells debuggers. See os/mappings.h.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/annotations.h"
#include "os/mappings.h"
#include "os/stop.h"

namespace burrow::os {
namespace {

// Heads of the lists of threads: on stacks of the library's, and on ones that the program brought.
constinit std::array<std::atomic<uintptr_t>, 2> g_heads{};
// From a descriptor to its place in the list. Release when set, after the heads; 0: not known.
constinit std::atomic<uintptr_t> g_link_at{0};

// Where a field lies: the library describes each by its bits, its count and its offset.
struct Field {
  uint32_t bits;
  uint32_t count;
  uint32_t offset;
};

const Field* field(const char* name) {
  return static_cast<const Field*>(dlsym(RTLD_DEFAULT, name));
}

BURROW_NO_SANITIZE uintptr_t next_of(uintptr_t link) {
  return *reinterpret_cast<const volatile uintptr_t*>(link);
}

}  // namespace

void learn_thread_descriptors() {
  auto global = reinterpret_cast<uintptr_t>(dlsym(RTLD_DEFAULT, "_rtld_global"));
  const Field* link = field("_thread_db_pthread_list");
  const Field* next = field("_thread_db_list_t_next");
  const Field* used = field("_thread_db_rtld_global__dl_stack_used");
  const Field* user = field("_thread_db_rtld_global__dl_stack_user");
  if (global == 0 || link == nullptr || next == nullptr || used == nullptr || user == nullptr ||
      next->offset != 0) {
    return;
  }
  g_heads[0].store(global + used->offset, std::memory_order_relaxed);
  g_heads[1].store(global + user->offset, std::memory_order_relaxed);
  // Acquire in for_each_thread_descriptor.
  g_link_at.store(link->offset, std::memory_order_release);
}

void for_each_thread_descriptor(void (*visit)(void* argument, uintptr_t from, uintptr_t to),
                                void* argument) {
  constexpr size_t kMost = 1 << 20;  // a ring that is not ours would have no end
  uintptr_t link_at = g_link_at.load(std::memory_order_acquire);
  if (link_at == 0) {
    return;
  }
  for (const std::atomic<uintptr_t>& list : g_heads) {
    uintptr_t head = list.load(std::memory_order_relaxed);
    uintptr_t link = next_of(head);
    for (size_t i = 0; i < kMost && link != head && link != 0; ++i, link = next_of(link)) {
      visit(argument, link - link_at, link - link_at + thread_descriptor_bytes());
    }
  }
}

}  // namespace burrow::os
