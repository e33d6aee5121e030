// What the plugin needs of the collected heap's header, for tests that build no library: make and
// make_array over one recognisable call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace burrow::internal {

enum class ObjectKind : uint8_t { kNoscan, kRaw, kExact };

struct TypeInfo {
  size_t size;
  const uint64_t* pointers;
  void (*destroy)(void*);
  const char* name;
  ObjectKind kind;
};

template <class T>
void destroy(void* object) {
  static_cast<T*>(object)->~T();
}

template <class T>
inline constexpr TypeInfo type_info = {sizeof(T), nullptr,
                                       std::is_trivially_destructible_v<T> ? nullptr : destroy<T>,
                                       nullptr, ObjectKind::kRaw};

}  // namespace burrow::internal

extern "C" {
void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo* type);
void* burrow_gc_new_array(size_t count, const burrow::internal::TypeInfo* type);
}

namespace burrow {

template <class T, class... A>
[[gnu::always_inline]] inline T* make(A&&... arguments) {
  return ::new (burrow_gc_new(sizeof(T), &internal::type_info<T>)) T(std::forward<A>(arguments)...);
}

template <class T>
[[gnu::always_inline]] inline T* make_array(size_t count) {
  return static_cast<T*>(burrow_gc_new_array(count, &internal::type_info<T>));
}

}  // namespace burrow
