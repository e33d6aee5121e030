// The next definition of a function that the shim stands in for. See shim.h.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace burrow::shim {

/// The function `name` of the next object in the loader's order; null when there is none. `known`
/// keeps it. Relaxed: two threads that look at once find the same.
template <typename F>
F next_function(std::atomic<F>& known, const char* name) {
  F f = known.load(std::memory_order_relaxed);
  if (f == nullptr) {
    f = reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
    known.store(f, std::memory_order_relaxed);
  }
  return f;
}

}  // namespace burrow::shim
