// Blocks of the C library's own malloc, which the program hands to our free. See shim.h.
//
// A library opened with RTLD_DEEPBIND finds the C library's malloc before ours. Its blocks reach us
// when the program frees them. Usually nobody has used that malloc, and then it holds no memory: so
// long as it does not, what is not ours is nobody's, and is reported.
#include <dlfcn.h>
#include <malloc.h>

#include <atomic>

#include "heap/hooks.h"
#include "shim/shim.h"

namespace burrow::shim {
namespace {

using Free = void (*)(void*);
using UsableSize = size_t (*)(void*);
using MallInfo = struct mallinfo2 (*)();

// Relaxed: found anew if need be, always the same.
template <typename F>
F next_of(std::atomic<F>& known, const char* name) {
  F f = known.load(std::memory_order_relaxed);
  if (f == nullptr) {
    f = reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
    known.store(f, std::memory_order_relaxed);
  }
  return f;
}

constinit std::atomic<Free> g_free{nullptr};
constinit std::atomic<UsableSize> g_usable_size{nullptr};
constinit std::atomic<MallInfo> g_mallinfo2{nullptr};

bool owns(const void* /*block*/) {
  MallInfo info = next_of(g_mallinfo2, "mallinfo2");
  if (info == nullptr || next_of(g_free, "free") == nullptr ||
      next_of(g_usable_size, "malloc_usable_size") == nullptr) {
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
  heap::install_foreign_hooks(&kHooks);
}

}  // namespace
}  // namespace burrow::shim
