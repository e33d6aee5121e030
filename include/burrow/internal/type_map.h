// How `type_map` finds a type's pointers. Not for users: see gc.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "burrow/internal/fields.h"
#include "burrow/internal/object.h"

namespace burrow {

template <class T>
class Ptr;

/// What the collector may assume of a T. Specialise it by BURROW_FIELDS, BURROW_OPAQUE or
/// BURROW_UNKNOWN (gc.h), not by hand.
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

/// Specialised, but for fields: nothing is to be assumed of a T.
template <class T>
concept SaidUnknown = requires { sizeof(type_map<T>); } && !HasFieldList<T>;

/// Types in arrays of which other objects may be made. A bool or a number holds no other object.
template <class T>
inline constexpr bool kIsByte = std::is_same_v<T, std::byte> || std::is_same_v<T, unsigned char> ||
                                std::is_same_v<T, char> || std::is_same_v<T, signed char>;

/// Arrays of bytes with room for a pointer.
template <class T>
concept Storage = std::is_bounded_array_v<T> && sizeof(T) >= sizeof(void*) &&
                  kIsByte<std::remove_cv_t<std::remove_all_extents_t<T>>>;

/// Numbers no wider than a pointer. Wider ones are there to be a pointer and something more.
template <class T>
concept Number = std::is_floating_point_v<T> ||
                 ((std::is_integral_v<T> || std::is_enum_v<T>) && sizeof(T) <= sizeof(void*));

template <class T>
constexpr PointerMap pointer_map();

inline constexpr size_t kMapBytes = PointerMap::kMostWords * sizeof(void*);

/// A type only where the offsets are constants.
template <class T, size_t N>
using FieldOffsets = std::bool_constant<(field_offsets<T, N>(kMapBytes), true)>;

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

/// Whether an M that is not aligned may have a pointer in it, where the collector does not look.
template <class M>
constexpr bool needs_alignment() {
  if constexpr (std::is_reference_v<M>) {
    return true;
  } else if constexpr (alignof(M) < alignof(void*)) {
    return false;
  } else {
    return !std::is_function_v<std::remove_pointer_t<M>> &&
           pointer_map<M>().kind != ObjectKind::kNoscan;
  }
}

// The map of a T whose members are M.
// NOLINTBEGIN(bugprone-branch-clone): the order of the questions counts
template <class T, class... M>
constexpr PointerMap map_of_members(TypeList<M...> /*members*/) {
  constexpr size_t kCount = sizeof...(M);
  static_assert(alignof(T) >= alignof(void*) || !(needs_alignment<M>() || ...),
                "T is packed, and the collector does not see pointers that are not aligned: leave "
                "`packed` off, or say BURROW_OPAQUE(T) if none is to a collected object");
  if constexpr (((pointer_map<M>().kind == ObjectKind::kRaw) || ...)) {
    return raw_map();
  } else if constexpr (((pointer_map<M>().kind == ObjectKind::kNoscan) && ...)) {
    return PointerMap();
  } else if constexpr ((std::is_volatile_v<M> || ...)) {
    return raw_map();
  } else if constexpr (requires { typename FieldOffsets<T, kCount>; }) {
    constexpr auto kOffsets = field_offsets<T, kCount>(kMapBytes);
    PointerMap map;
    size_t at = 0;
    ((map.add(pointer_map<M>(), kOffsets[at], sizeof(M)), ++at), ...);
    return map;
  } else {
    return raw_map();
  }
}

// NOLINTEND(bugprone-branch-clone)

template <class T>
constexpr PointerMap aggregate_map() {
  constexpr size_t kCount = count_fields<T>();
  if constexpr (kCount == 0) {
    return raw_map();
  } else {
    return map_of_members<T>(decltype(fields_of<T, kCount>(std::declval<T&>()))());
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

// NOLINTBEGIN(bugprone-branch-clone): the order of the questions counts
template <class T>
constexpr PointerMap pointer_map() {
  if constexpr (!std::is_same_v<T, std::remove_cv_t<T>>) {
    return pointer_map<std::remove_cv_t<T>>();
  } else if constexpr (HasFieldList<T>) {
    return type_map<T>::kFields;
  } else if constexpr (SaidUnknown<T> || Storage<T>) {
    return raw_map();
  } else if constexpr (Number<T>) {
    return PointerMap();
  } else if constexpr (IsPtr<T>::value) {
    PointerMap map;
    map.add(0);
    return map;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): T may be a pointer
  } else if constexpr (std::is_empty_v<T> && sizeof(T) < sizeof(void*)) {
    return PointerMap();
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
// NOLINTEND(bugprone-branch-clone)

/// Types whose default value is all zero bytes, as fresh memory is; see `is_zeroed`.
template <class T>
inline constexpr bool kZeroed = std::is_trivially_default_constructible_v<T> || IsPtr<T>::value ||
                                requires { requires type_map<T>::kZeroed; };

/// The same of any type. A pointer to a data member is null when it is all ones, and a class may
/// have one: of what is small enough a value is made to see. Compilers know the answer.
template <class T>
bool is_zeroed() {
  using Element = std::remove_all_extents_t<T>;
  constexpr size_t kLargest = 1024;
  constexpr bool kClass =
      std::is_class_v<Element> && std::is_trivially_default_constructible_v<Element>;
  // NOLINTNEXTLINE(bugprone-sizeof-expression): Element may be a pointer
  constexpr bool kLarge = sizeof(Element) > kLargest;
  if constexpr (!kZeroed<Element> || std::is_member_object_pointer_v<Element> ||
                (kClass && kLarge)) {
    return false;
  } else if constexpr (kClass) {
    alignas(Element) unsigned char bytes[sizeof(Element)] = {};
    ::new (static_cast<void*>(bytes)) Element();
    for (unsigned char byte : bytes) {
      if (byte != 0) {
        return false;
      }
    }
    return true;
  } else {
    return true;
  }
}

/// Of an object or an element. A std::byte by itself is an element of storage: see gc.h.
template <class T>
inline constexpr PointerMap kPointerMap =
    std::is_same_v<std::remove_cv_t<T>, std::byte> && !HasFieldList<T> ? raw_map()
                                                                       : pointer_map<T>();

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
// NOLINTNEXTLINE(bugprone-sizeof-expression): T may be a pointer
inline constexpr TypeInfo kTypeInfo{sizeof(T), kPointerMap<T>.bits.data(), destroyer<T>(), nullptr,
                                    kPointerMap<T>.kind};

}  // namespace internal
}  // namespace burrow
