// operator new without memory, where the C++ runtime is linked. See shim.h.
#include <new>

#include "base/bits.h"
#include "heap/heap.h"
#include "heap/hooks.h"
#include "shim/shim.h"

namespace burrow::shim {
namespace {

void* try_again(size_t size, size_t alignment) {
  return alignment == 0 ? heap::allocate(size) : heap::allocate_aligned(alignment, size);
}

}  // namespace

void* new_failed(size_t size, size_t alignment) {
  if (heap::throws_when_out_of_memory() || (alignment != 0 && !is_power_of_two(alignment))) {
    throw std::bad_alloc();
  }
  for (;;) {
    std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) {
      throw std::bad_alloc();
    }
    handler();
    if (void* p = try_again(size, alignment); p != nullptr) {
      return p;
    }
  }
}

void* new_failed_nothrow(size_t size, size_t alignment) noexcept {
  try {
    return new_failed(size, alignment);
  } catch (...) {  // whatever the handler throws, as in libstdc++
    return nullptr;
  }
}

}  // namespace burrow::shim
