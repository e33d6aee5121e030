// The preload under a program that has Burrow in it, or a malloc of its own: that one serves, and
// settings are for it. See shim.h.
#include <dlfcn.h>

#include <cstddef>

#include "base/annotations.h"
#include "heap/give_way.h"
#include "os/symbol_table.h"

// This library's own, whatever the program's is: an alias in malloc.cc.
extern "C" BURROW_HIDDEN void* burrow_own_malloc(size_t size);

namespace {

// Before the constructors that read settings (200 and later).
__attribute__((constructor(199))) void give_way() {
  void* first = burrow::os::bound_function("malloc");
  bool other_malloc = first != nullptr && first != reinterpret_cast<void*>(burrow_own_malloc);
  // libburrow exports it.
  bool has_burrow = dlsym(RTLD_DEFAULT, "burrow_gc_allocate") != nullptr;
  burrow::heap::g_gave_way = other_malloc || has_burrow;
}

}  // namespace
