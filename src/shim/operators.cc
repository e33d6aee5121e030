// Every replaceable operator new and delete of C++20. See shim.h.
#include <new>

#include "base/bits.h"
#include "heap/fast_path.h"
#include "heap/heap.h"
#include "shim/shim.h"

namespace heap = burrow::heap;
namespace shim = burrow::shim;

namespace {

struct ThrowingFinish {
  static BURROW_NOINLINE void* finish(size_t size, void* popped) {
    void* p = heap::allocate_slow(size, popped);
    return BURROW_LIKELY(p != nullptr) ? p : shim::new_failed(size, 0);
  }
};

struct NothrowFinish {
  static BURROW_NOINLINE void* finish(size_t size, void* popped) noexcept {
    void* p = heap::allocate_slow(size, popped);
    return BURROW_LIKELY(p != nullptr) ? p : shim::new_failed_nothrow(size, 0);
  }
};

BURROW_ALWAYS_INLINE void* plain_new(size_t size) {
  return heap::allocate_fast<ThrowingFinish>(size);
}

BURROW_ALWAYS_INLINE void* plain_new_nothrow(size_t size) noexcept {
  return heap::allocate_fast<NothrowFinish>(size);
}

// What is no alignment fails as if memory were out, as in libstdc++.
void* try_aligned(size_t size, std::align_val_t alignment) {
  auto bytes = static_cast<size_t>(alignment);
  return burrow::is_power_of_two(bytes) ? heap::allocate_aligned(bytes, size) : nullptr;
}

void* aligned_new(size_t size, std::align_val_t alignment) {
  void* p = try_aligned(size, alignment);
  return p != nullptr ? p : shim::new_failed(size, static_cast<size_t>(alignment));
}

void* aligned_new_nothrow(size_t size, std::align_val_t alignment) noexcept {
  void* p = try_aligned(size, alignment);
  return p != nullptr ? p : shim::new_failed_nothrow(size, static_cast<size_t>(alignment));
}

BURROW_ALWAYS_INLINE void sized_delete(void* p, size_t size) noexcept {
  heap::deallocate_sized_fast(p, size);
}

void sized_delete(void* p, size_t size, size_t alignment) noexcept {
  heap::deallocate_sized(p, size, alignment, heap::SizeRule::kExact);
}

}  // namespace

// The standard's declarations carry no visibility; these definitions do.
BURROW_EXPORT void* operator new(size_t n) {
  return plain_new(n);
}

BURROW_EXPORT void* operator new[](size_t n) {
  return plain_new(n);
}

BURROW_EXPORT void* operator new(size_t n, const std::nothrow_t& /*t*/) noexcept {
  return plain_new_nothrow(n);
}

BURROW_EXPORT void* operator new[](size_t n, const std::nothrow_t& /*t*/) noexcept {
  return plain_new_nothrow(n);
}

BURROW_EXPORT void* operator new(size_t n, std::align_val_t a) {
  return aligned_new(n, a);
}

BURROW_EXPORT void* operator new[](size_t n, std::align_val_t a) {
  return aligned_new(n, a);
}

BURROW_EXPORT void* operator new(size_t n, std::align_val_t a,
                                 const std::nothrow_t& /*t*/) noexcept {
  return aligned_new_nothrow(n, a);
}

BURROW_EXPORT void* operator new[](size_t n, std::align_val_t a,
                                   const std::nothrow_t& /*t*/) noexcept {
  return aligned_new_nothrow(n, a);
}

BURROW_EXPORT void operator delete(void* p) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete[](void* p) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete(void* p, const std::nothrow_t& /*t*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete[](void* p, const std::nothrow_t& /*t*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete(void* p, size_t n) noexcept {
  sized_delete(p, n);
}

BURROW_EXPORT void operator delete[](void* p, size_t n) noexcept {
  sized_delete(p, n);
}

BURROW_EXPORT void operator delete(void* p, std::align_val_t /*a*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete[](void* p, std::align_val_t /*a*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete(void* p, std::align_val_t /*a*/,
                                   const std::nothrow_t& /*t*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete[](void* p, std::align_val_t /*a*/,
                                     const std::nothrow_t& /*t*/) noexcept {
  heap::deallocate_fast(p);
}

BURROW_EXPORT void operator delete(void* p, size_t n, std::align_val_t a) noexcept {
  sized_delete(p, n, static_cast<size_t>(a));
}

BURROW_EXPORT void operator delete[](void* p, size_t n, std::align_val_t a) noexcept {
  sized_delete(p, n, static_cast<size_t>(a));
}
