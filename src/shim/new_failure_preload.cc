// operator new without memory, in the preload: the program's own libstdc++ calls the new-handler
// and throws. Its operator new asks malloc, which is ours, finds it out of memory, and goes on as
// the standard says. In a thread of Burrow's own it throws itself, and the exception is caught
// within this library. See shim.h.
#include <dlfcn.h>

#include <cstdint>
#include <new>

#include "base/check.h"
#include "heap/hooks.h"
#include "shim/shim.h"

namespace burrow::shim {
namespace {

// The next definition after ours, or that of a libstdc++ that was loaded privately.
void* find_operator(const char* name) {
  void* f = dlsym(RTLD_NEXT, name);
  if (f == nullptr) {
    if (void* library = dlopen("libstdc++.so.6", RTLD_NOLOAD | RTLD_LAZY); library != nullptr) {
      f = dlsym(library, name);
      dlclose(library);
    }
  }
  return f;
}

}  // namespace

void* new_failed(size_t size, size_t alignment) {
  if (heap::throws_when_out_of_memory()) {
    throw std::bad_alloc();
  }
  // libstdc++ rounds the size up to the alignment, and past the end of numbers to 0.
  if (alignment == 0 || size > PTRDIFF_MAX) {
    if (void* f = find_operator("_Znwm"); f != nullptr) {
      return reinterpret_cast<void* (*)(size_t)>(f)(size);
    }
  } else if (void* f = find_operator("_ZnwmSt11align_val_t"); f != nullptr) {
    return reinterpret_cast<void* (*)(size_t, size_t)>(f)(size, alignment);
  }
  fatal("operator new: out of memory for ", size, " bytes, and no libstdc++.so.6 to throw from");
}

void* new_failed_nothrow(size_t size, size_t alignment) noexcept {
  if (heap::throws_when_out_of_memory()) {
    return nullptr;
  }
  static constexpr char kNothrow = 0;
  if (alignment == 0 || size > PTRDIFF_MAX) {
    if (void* f = find_operator("_ZnwmRKSt9nothrow_t"); f != nullptr) {
      return reinterpret_cast<void* (*)(size_t, const void*)>(f)(size, &kNothrow);
    }
  } else if (void* f = find_operator("_ZnwmSt11align_val_tRKSt9nothrow_t"); f != nullptr) {
    return reinterpret_cast<void* (*)(size_t, size_t, const void*)>(f)(size, alignment, &kNothrow);
  }
  return nullptr;
}

}  // namespace burrow::shim
