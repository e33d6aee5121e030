// What a value in an `Any` is. Not for users, but for `Type`: see any.h.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace burrow {

/// A type, as Go's reflect.Type. Compare them by ==, not by address: a library that was opened by
/// dlopen may have an object of its own for a type of the program's.
class Type {
 public:
  using Equal = bool (*)(const void* a, const void* b);

  constexpr Type(std::string_view name, const std::type_info* info, size_t size, bool in_word,
                 Equal compare)
      : name_(name), info_(info), size_(size), in_word_(in_word), equal_(compare) {}

  Type(const Type&) = delete;
  Type& operator=(const Type&) = delete;

  /// As the compiler writes it, such as "int" or "std::vector<int>"; for messages.
  [[nodiscard]] constexpr std::string_view name() const { return name_; }

  /// sizeof.
  [[nodiscard]] constexpr size_t size() const { return size_; }

  /// An `Any` keeps its values in itself, not in a box.
  [[nodiscard]] constexpr bool in_word() const { return in_word_; }

  /// Compares two values; null for types that cannot be compared.
  [[nodiscard]] constexpr Equal equal() const { return equal_; }

  /// One type. Across libraries that holds for types with a name that both can mean, and where both
  /// are compiled with RTTI; others, as of unnamed namespaces, are the library's own.
  friend bool operator==(const Type& a, const Type& b) noexcept {
    return &a == &b || is_same(a, b);
  }

 private:
#ifdef __BURROW_PLUGIN__
  // Pure: it keeps no Type, nor what an Any holds beside one.
  [[gnu::pure]] static bool is_same(const Type& a, const Type& b) noexcept;
#else
  static bool is_same(const Type& a, const Type& b) noexcept;
#endif

  std::string_view name_;
  const std::type_info* info_;
  size_t size_;
  bool in_word_;
  Equal equal_;
};

namespace internal {

/// Values that fit a pointer's word, and may be copied by bytes.
template <class T>
inline constexpr bool kInWord =
    std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void*) && alignof(T) <= alignof(void*);

// "constexpr auto pretty_name() [T = int]" from clang, "[with T = int]" from gcc.
template <class T>
constexpr auto pretty_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  size_t start = text.find("T = ") + 4;
  return text.substr(start, text.rfind(']') - start);
}

/// Containers have operator== whether or not their elements have.
template <class T>
struct Comparable : std::bool_constant<std::equality_comparable<T>> {};

template <class T>
  requires requires { typename T::value_type; }
struct Comparable<T>
    : std::conjunction<std::bool_constant<std::equality_comparable<T>>,
                       std::disjunction<std::is_same<T, typename T::value_type>,
                                        Comparable<std::remove_const_t<typename T::value_type>>>> {
};

template <class A, class B>
struct Comparable<std::pair<A, B>>
    : std::conjunction<Comparable<std::remove_const_t<A>>, Comparable<std::remove_const_t<B>>> {};

template <class... T>
struct Comparable<std::tuple<T...>> : std::conjunction<Comparable<std::remove_const_t<T>>...> {};

template <class T>
constexpr Type::Equal equality() {
  if constexpr (Comparable<T>::value) {
    return [](const void* a, const void* b) -> bool {
      return *static_cast<const T*>(a) == *static_cast<const T*>(b);
    };
  } else {
    return nullptr;
  }
}

template <class T>
constexpr const std::type_info* info() {
#ifdef __cpp_rtti
  return &typeid(T);
#else
  return nullptr;
#endif
}

// Default visibility: most shared objects agree on the address, which is compared first.
template <class T>
[[gnu::visibility("default")]] inline constexpr Type kType{pretty_name<T>(), info<T>(), sizeof(T),
                                                           kInWord<T>, equality<T>()};

}  // namespace internal

/// The type of values that are a T.
template <class T>
[[nodiscard]] constexpr const Type* type_of() {
  return &internal::kType<std::remove_cvref_t<T>>;
}

}  // namespace burrow
