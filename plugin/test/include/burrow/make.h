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
inline constexpr TypeInfo kTypeInfo = {sizeof(T), nullptr,
                                       std::is_trivially_destructible_v<T> ? nullptr : destroy<T>,
                                       nullptr, ObjectKind::kRaw};

}  // namespace burrow::internal

extern "C" {
void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo* type);
void* burrow_gc_new_array(size_t count, const burrow::internal::TypeInfo* type);
void burrow_gc_shade(void* value);
extern unsigned char burrow_gc_marking;
}

namespace burrow {

#ifdef ORACLE_NEW
template <class T, class... A>
inline T* make(A&&... arguments) {
  return new T(std::forward<A>(arguments)...);
}

template <class T>
inline T* make_array(size_t count) {
  return new T[count]();
}
#else
template <class T, class... A>
T* make(A&&... arguments) {
  return ::new (burrow_gc_new(sizeof(T), &internal::kTypeInfo<T>)) T(std::forward<A>(arguments)...);
}

template <class T>
T* make_array(size_t count) {
  return static_cast<T*>(burrow_gc_new_array(count, &internal::kTypeInfo<T>));
}
#endif

/// A pointer with its own barrier.
template <class T>
class Ptr {
 public:
  Ptr(T* p = nullptr) { *this = p; }

  Ptr& operator=(T* p) {
    if (burrow_gc_marking && p) {
      burrow_gc_shade(p);
    }
    p_ = p;
    return *this;
  }

  operator T*() const { return p_; }

  T* operator->() const { return p_; }

 private:
  T* p_;
};

template <class T>
struct type_map;

}  // namespace burrow
