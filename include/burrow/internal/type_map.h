// How `type_map` finds a type's pointers. Not for users: see gc.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "burrow/internal/fields.h"
#include "burrow/internal/object.h"

namespace burrow {

template <class T>
class Ptr;

/// What the collector may assume of a T. Specialise it by BURROW_FIELDS or BURROW_OPAQUE (gc.h),
/// not by hand.
template <class T>
struct type_map;

namespace internal {

/// Where the pointers of a type of at most `kMostWords` words lie.
struct PointerMap {
  static constexpr size_t kMostWords = 256;
  ObjectKind kind = ObjectKind::kNoscan;
  std::array<uint64_t, kMostWords / 64> bits{};

  constexpr void add(size_t offset) {
    size_t word = offset / sizeof(void*);
    if (word >= kMostWords || offset % sizeof(void*) != 0) {
      kind = ObjectKind::kRaw;
      return;
    }
    bits[word / 64] |= uint64_t{1} << word % 64;
    kind = kind == ObjectKind::kRaw ? kind : ObjectKind::kExact;
  }

  /// Adds the map of a member at `offset`.
  constexpr void add(const PointerMap& member, size_t offset, size_t size) {
    if (member.kind == ObjectKind::kRaw) {
      kind = ObjectKind::kRaw;
    }
    if (member.kind != ObjectKind::kExact) {
      return;
    }
    for (size_t word = 0; word * sizeof(void*) < size; ++word) {
      if (word < kMostWords && (member.bits[word / 64] >> word % 64 & 1) != 0) {
        add(offset + word * sizeof(void*));
      }
    }
  }
};

template <class T>
struct IsPtr : std::false_type {};

template <class T>
struct IsPtr<Ptr<T>> : std::true_type {};

template <class T>
struct IsArray : std::false_type {};

template <class T, size_t N>
  requires(N > 0)
struct IsArray<std::array<T, N>> : std::true_type {};

template <class T>
concept HasFieldList = requires { type_map<T>::kFields; };

template <class T>
constexpr PointerMap pointer_map();

// Members laid one after the other, as the compiler does for a simple aggregate; `end` tells
// whether it came out right.
template <class... M>
constexpr PointerMap map_of_members(TypeList<M...> /*members*/, size_t& end) {
  PointerMap map;
  size_t at = 0;
  auto place = [&]<class Member>(std::type_identity<Member> /*type*/) {
    at = (at + alignof(Member) - 1) / alignof(Member) * alignof(Member);
    map.add(pointer_map<Member>(), at, sizeof(Member));
    at += sizeof(Member);
  };
  (place(std::type_identity<M>()), ...);
  end = at;
  return map;
}

constexpr PointerMap raw_map() {
  PointerMap map;
  map.kind = ObjectKind::kRaw;
  return map;
}

constexpr PointerMap map_of_second_word() {
  PointerMap map;
  map.add(sizeof(void*));
  return map;
}

template <class T>
constexpr PointerMap aggregate_map() {
  constexpr size_t kCount = count_fields<T>();
  if constexpr (std::is_empty_v<T>) {
    return PointerMap();
  } else if constexpr (kCount == 0 || kCount > kMostFields || alignof(T) > alignof(void*)) {
    return raw_map();
  } else {
    using Fields = decltype(fields_of<T, kCount>(std::declval<T&>()));
    size_t end = 0;
    PointerMap map = map_of_members(Fields(), end);
    // Bit-fields and other oddities lie elsewhere, and then the end does too.
    return (end + alignof(T) - 1) / alignof(T) * alignof(T) == sizeof(T) ? map : raw_map();
  }
}

/// Converts to the bases of T and to nothing else.
template <class T>
struct AnyBaseOf {
  AnyBaseOf() = default;
  AnyBaseOf(const AnyBaseOf&) = delete;

  template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
  constexpr operator Base() const noexcept;  // NOLINT(google-explicit-constructor)
};

/// An aggregate that `fields_of` takes apart: without bases, and not by std::get.
template <class T>
concept SimpleAggregate = std::is_aggregate_v<T> && std::is_class_v<T> && !requires {
  T{AnyBaseOf<T>{}};
} && !requires { std::tuple_size<T>::value; };

template <class T>
constexpr PointerMap pointer_map() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::byte>) {
    return PointerMap();
  } else if constexpr (IsPtr<T>::value) {
    PointerMap map;
    map.add(0);
    return map;
  } else if constexpr (HasFieldList<T>) {
    return type_map<T>::kFields;
  } else if constexpr (std::is_bounded_array_v<T>) {
    using Element = std::remove_extent_t<T>;
    constexpr PointerMap kElement = pointer_map<Element>();
    PointerMap map;
    for (size_t i = 0; i < std::extent_v<T>; ++i) {
      map.add(kElement, i * sizeof(Element), sizeof(Element));
      if (kElement.kind != ObjectKind::kExact) {
        break;
      }
    }
    return map;
  } else if constexpr (IsArray<T>::value) {
    return pointer_map<typename T::value_type[std::tuple_size_v<T>]>();
  } else if constexpr (SimpleAggregate<T>) {
    return aggregate_map<T>();
  } else {
    return raw_map();
  }
}

/// Types whose default value is all zero bytes, as fresh memory is.
template <class T>
inline constexpr bool kZeroed = std::is_trivially_default_constructible_v<T> || IsPtr<T>::value ||
                                requires { requires type_map<T>::kZeroed; };

template <class T>
inline constexpr PointerMap kPointerMap = pointer_map<T>();

template <class T>
void destroy_object(void* object) {
  static_cast<T*>(object)->~T();
}

template <class T>
constexpr void (*destroyer())(void*) {
  if constexpr (std::is_trivially_destructible_v<T>) {
    return nullptr;
  } else {
    return &destroy_object<T>;
  }
}

/// One constant for each type.
template <class T>
inline constexpr TypeInfo kTypeInfo{sizeof(T), kPointerMap<T>.bits.data(), destroyer<T>(), nullptr,
                                    kPointerMap<T>.kind};

}  // namespace internal
}  // namespace burrow
