// The types of an aggregate's members, for `type_map`. Not for users: see gc.h.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace burrow::internal {

template <class... T>
struct TypeList {
  static constexpr size_t kSize = sizeof...(T);
};

/// Converts to anything, so that T{any, any} tells how many members T has.
struct AnyValue {
  template <class T>
  constexpr operator T() const noexcept;  // NOLINT(google-explicit-constructor)
};

template <class T, size_t... I>
constexpr bool braces_with(std::index_sequence<I...> /*indices*/) {
  return requires { T{(static_cast<void>(I), AnyValue{})...}; };
}

inline constexpr size_t kMostFields = 12;

/// The most initialisers that T takes, up to one more than kMostFields.
template <class T, size_t N = kMostFields + 1>
constexpr size_t count_fields() {
  if constexpr (N == 0 || braces_with<T>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return count_fields<T, N - 1>();
  }
}

template <class... T>
TypeList<std::remove_cvref_t<T>...> list_of(T&... members);

/// Unevaluated. REQUIRES: T is an aggregate of N members without bases or anonymous unions.
template <class T, size_t N>
constexpr auto fields_of(T& t) {
  if constexpr (N == 1) {
    auto& [a] = t;
    return decltype(list_of(a))();
  } else if constexpr (N == 2) {
    auto& [a, b] = t;
    return decltype(list_of(a, b))();
  } else if constexpr (N == 3) {
    auto& [a, b, c] = t;
    return decltype(list_of(a, b, c))();
  } else if constexpr (N == 4) {
    auto& [a, b, c, d] = t;
    return decltype(list_of(a, b, c, d))();
  } else if constexpr (N == 5) {
    auto& [a, b, c, d, e] = t;
    return decltype(list_of(a, b, c, d, e))();
  } else if constexpr (N == 6) {
    auto& [a, b, c, d, e, f] = t;
    return decltype(list_of(a, b, c, d, e, f))();
  } else if constexpr (N == 7) {
    auto& [a, b, c, d, e, f, g] = t;
    return decltype(list_of(a, b, c, d, e, f, g))();
  } else if constexpr (N == 8) {
    auto& [a, b, c, d, e, f, g, h] = t;
    return decltype(list_of(a, b, c, d, e, f, g, h))();
  } else if constexpr (N == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = t;
    return decltype(list_of(a, b, c, d, e, f, g, h, i))();
  } else if constexpr (N == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = t;
    return decltype(list_of(a, b, c, d, e, f, g, h, i, j))();
  } else if constexpr (N == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = t;
    return decltype(list_of(a, b, c, d, e, f, g, h, i, j, k))();
  } else {
    static_assert(N == 12);
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = t;
    return decltype(list_of(a, b, c, d, e, f, g, h, i, j, k, l))();
  }
}

}  // namespace burrow::internal
