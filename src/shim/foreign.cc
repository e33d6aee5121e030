// Blocks of the C library's own malloc, which the program hands to our free. See shim.h.
//
// A library that was bound to it before we came, or past us, has blocks of its own, which reach us
// when the program frees them (deep_bind.cc sees to the common case). Usually nobody has used that
// malloc, and then it holds no memory: so long as it does not, what is not ours is nobody's, and is
// reported.
#include "shim/foreign.h"

#include <malloc.h>

#include <atomic>

#include "heap/hooks.h"
#include "shim/next_function.h"
#include "shim/shim.h"

namespace burrow::shim {
namespace {

using Free = void (*)(void*);
using UsableSize = size_t (*)(void*);
using MallInfo = struct mallinfo2 (*)();

// Written once; relaxed, as the values are always the same.
constinit std::atomic<Free> g_free{nullptr};
constinit std::atomic<UsableSize> g_usable_size{nullptr};
constinit std::atomic<MallInfo> g_mallinfo2{nullptr};

bool owns(const void* /*block*/) {
  MallInfo info = g_mallinfo2.load(std::memory_order_relaxed);
  if (info == nullptr || g_free.load(std::memory_order_relaxed) == nullptr ||
      g_usable_size.load(std::memory_order_relaxed) == nullptr) {
    return false;
  }
  struct mallinfo2 theirs = info();
  return theirs.arena + theirs.hblkhd > 0;
}

constexpr heap::ForeignHooks kHooks = {
    .owns = owns,
    .free = [](void* block) { g_free.load(std::memory_order_relaxed)(block); },
    .usable_size = [](void* block) { return g_usable_size.load(std::memory_order_relaxed)(block); },
};

__attribute__((constructor)) void install() {
  find_foreign_heap();
  heap::install_foreign_hooks(&kHooks);
}

}  // namespace

void find_foreign_heap() {
  (void)next_function(g_free, "free");
  (void)next_function(g_usable_size, "malloc_usable_size");
  (void)next_function(g_mallinfo2, "mallinfo2");
}

}  // namespace burrow::shim
