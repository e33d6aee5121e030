// malloc, free, calloc, realloc and their direct kin. See shim.h.
#include <cstring>

#include "heap/fast_path.h"
#include "heap/heap.h"
#include "shim/shim.h"

namespace heap = burrow::heap;
using burrow::shim::or_enomem;

namespace {

struct EnomemFinish {
  static BURROW_NOINLINE void* finish(size_t size, void* popped) {
    return or_enomem(heap::allocate_slow(size, popped));
  }
};

}  // namespace

extern "C" {

BURROW_EXPORT void* malloc(size_t size) {
  return heap::allocate_fast<EnomemFinish>(size);
}

// By this name the heap knows whether the program's malloc is this one.
BURROW_HIDDEN __attribute__((alias("malloc"))) void* burrow_own_malloc(size_t size);

BURROW_EXPORT void free(void* p) {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void* calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return or_enomem(heap::allocate_zeroed(bytes));
}

BURROW_EXPORT void* realloc(void* p, size_t size) {
  if (p == nullptr) {
    return heap::allocate_fast<EnomemFinish>(size);
  }
  if (size == 0) {
    heap::deallocate_fast(p);
    return nullptr;
  }
  return or_enomem(heap::reallocate(p, size));
}

BURROW_EXPORT void* reallocarray(void* p, size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(p, bytes);
}

BURROW_EXPORT void free_sized(void* p, size_t size) {
  heap::deallocate_sized(p, size, 1, heap::SizeRule::kMayBeResized);
}

BURROW_EXPORT void free_aligned_sized(void* p, size_t alignment, size_t size) {
  heap::deallocate_sized(p, size, alignment, heap::SizeRule::kMayBeResized);
}

BURROW_EXPORT size_t malloc_usable_size(void* p) {
  return p == nullptr ? 0 : heap::usable_size(p);
}

BURROW_ALIAS(free) void cfree(void* p);
BURROW_ALIAS(malloc) void* __libc_malloc(size_t size);
BURROW_ALIAS(free) void __libc_free(void* p);
BURROW_ALIAS(calloc) void* __libc_calloc(size_t count, size_t size);
BURROW_ALIAS(realloc) void* __libc_realloc(void* p, size_t size);
BURROW_ALIAS(reallocarray) void* __libc_reallocarray(void* p, size_t count, size_t size);

}  // extern "C"
