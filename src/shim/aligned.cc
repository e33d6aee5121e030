// The aligned allocations, with glibc's rules for bad alignments. See shim.h.
#include <bit>

#include "base/bits.h"
#include "base/units.h"
#include "heap/heap.h"
#include "os/os.h"
#include "shim/shim.h"

namespace heap = burrow::heap;
using burrow::shim::or_enomem;

namespace {

// glibc's memalign rounds a bad alignment up to a power of two, and refuses what has none.
void* aligned(size_t alignment, size_t size) {
  if (alignment > SIZE_MAX / 2 + 1) {
    errno = EINVAL;
    return nullptr;
  }
  return or_enomem(heap::allocate_aligned(std::bit_ceil(alignment), size));
}

}  // namespace

extern "C" {

BURROW_EXPORT void* memalign(size_t alignment, size_t size) {
  return aligned(alignment, size);
}

BURROW_EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  return aligned(alignment, size);
}

BURROW_EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  if (alignment % sizeof(void*) != 0 || !burrow::is_power_of_two(alignment)) {
    return EINVAL;
  }
  void* p = heap::allocate_aligned(alignment, size);
  if (p == nullptr) {
    return ENOMEM;
  }
  *out = p;
  return 0;
}

BURROW_EXPORT void* valloc(size_t size) {
  return aligned(burrow::os::kOsPageSize, size);
}

BURROW_EXPORT void* pvalloc(size_t size) {
  size_t rounded = burrow::round_up(size, burrow::os::kOsPageSize);
  if (rounded < size) {
    errno = ENOMEM;
    return nullptr;
  }
  return aligned(burrow::os::kOsPageSize, rounded);
}

BURROW_ALIAS(memalign) void* __libc_memalign(size_t alignment, size_t size);
BURROW_ALIAS(valloc) void* __libc_valloc(size_t size);
BURROW_ALIAS(pvalloc) void* __libc_pvalloc(size_t size);
BURROW_ALIAS(posix_memalign) int __posix_memalign(void** out, size_t alignment, size_t size);

}  // extern "C"
