// BURROW_FIELDS, BURROW_OPAQUE and BURROW_UNKNOWN, the public macros: a member's name can be handed
// on in no other way. See gc.h.
#pragma once

#include <cstddef>
#include <type_traits>

#include "burrow/internal/type_map.h"

namespace burrow::internal {

/// What BURROW_FIELDS checks of a type besides.
template <class T>
constexpr bool fields_fit(const PointerMap& map) {
  return alignof(T) <= 16 && (map.kind != ObjectKind::kExact || sizeof(T) % sizeof(void*) == 0);
}

template <class M>
constexpr bool field_is_aligned(size_t offset) {
  return offset % alignof(void*) == 0 || !needs_alignment<M>();
}

}  // namespace burrow::internal

/// BURROW_FIELDS(Type, a, b): the pointers of a Type are in its members a and b (also inherited
/// ones) and nowhere else. List each member that is a pointer or has one in it, up to 64. Members
/// that are all `Ptr`, or made of such, give an exact object; a plain pointer among them, a
/// conservative one. Stands outside of all namespaces, before the first use of make<Type>. Private
/// members can be named after `friend struct burrow::type_map<Type>;` in the class.
#define BURROW_FIELDS(Type, ...)                                                                \
  template <>                                                                                   \
  struct burrow::type_map<Type> {                                                               \
    _Pragma("GCC diagnostic push")                                                              \
        _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"") static constexpr ::burrow::    \
            internal::PointerMap kFields = [] {                                                 \
              ::burrow::internal::PointerMap map;                                               \
              BURROW_EACH_FIELD(BURROW_ADD_FIELD, Type, __VA_ARGS__)                            \
              return map;                                                                       \
            }();                                                                                \
    _Pragma("GCC diagnostic pop") static_assert(::burrow::internal::fields_fit<Type>(kFields)); \
  }

/// BURROW_OPAQUE(Type): nothing in a Type points to collected objects, whatever it looks like. Its
/// memory is never looked through.
#define BURROW_OPAQUE(Type)                                       \
  template <>                                                     \
  struct burrow::type_map<Type> {                                 \
    static constexpr ::burrow::internal::PointerMap kFields = {}; \
  }

/// BURROW_UNKNOWN(Type): any word of a Type may be a pointer, whatever it looks like: a number that
/// holds one, say.
#define BURROW_UNKNOWN(Type) \
  template <>                \
  struct burrow::type_map<Type> {}

// Not for users.
#define BURROW_ADD_FIELD(Type, field)                                                          \
  static_assert(::burrow::internal::field_is_aligned<std::remove_cv_t<decltype(Type::field)>>( \
                    offsetof(Type, field)),                                                    \
                "BURROW_FIELDS: " #Type "::" #field                                            \
                " is not aligned, and the collector does not see pointers there");             \
  map.add(::burrow::internal::pointer_map<std::remove_cv_t<decltype(Type::field)>>(),          \
          offsetof(Type, field), sizeof(Type::field));
#define BURROW_PARENS ()
#define BURROW_EXPAND(...) \
  BURROW_EXPAND3(BURROW_EXPAND3(BURROW_EXPAND3(BURROW_EXPAND3(__VA_ARGS__))))
#define BURROW_EXPAND3(...) \
  BURROW_EXPAND2(BURROW_EXPAND2(BURROW_EXPAND2(BURROW_EXPAND2(__VA_ARGS__))))
#define BURROW_EXPAND2(...) \
  BURROW_EXPAND1(BURROW_EXPAND1(BURROW_EXPAND1(BURROW_EXPAND1(__VA_ARGS__))))
#define BURROW_EXPAND1(...) __VA_ARGS__
#define BURROW_EACH_FIELD(macro, type, ...) \
  __VA_OPT__(BURROW_EXPAND(BURROW_NEXT_FIELD(macro, type, __VA_ARGS__)))
#define BURROW_NEXT_FIELD(macro, type, field, ...) \
  macro(type, field) __VA_OPT__(BURROW_FIELD_AGAIN BURROW_PARENS(macro, type, __VA_ARGS__))
#define BURROW_FIELD_AGAIN() BURROW_NEXT_FIELD
