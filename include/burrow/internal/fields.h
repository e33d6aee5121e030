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

/// Converts to anything, so that T{any, any} tells how many members T has. Not copied: members that
/// are constructed from any type (an `Any`) want one that can be.
struct AnyValue {
  AnyValue() = default;
  AnyValue(const AnyValue&) = delete;

  template <class T>
  constexpr operator T() const noexcept;  // NOLINT(google-explicit-constructor)
};

template <size_t>
using AnyOf = AnyValue;

template <class T, size_t... I>
constexpr bool braces_with(std::index_sequence<I...> /*flat*/) {
  return requires { T{AnyOf<I>{}...}; };
}

template <class T, size_t... I, size_t... J, size_t... K>
constexpr bool braces_with(std::index_sequence<I...> /*before*/,
                           std::index_sequence<J...> /*inner*/,
                           std::index_sequence<K...> /*after*/) {
  return requires { T{AnyOf<I>{}..., {AnyOf<J>{}...}, AnyOf<K>{}...}; };
}

inline constexpr size_t kMostFields = 12;
inline constexpr size_t kMostInitialisers = 24;

/// The most initialisers that T takes, up to one more than kMostInitialisers. An array member takes
/// one for each element.
template <class T, size_t N = kMostInitialisers + 1>
constexpr size_t count_initialisers() {
  if constexpr (N == 0 || braces_with<T>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return count_initialisers<T, N - 1>();
  }
}

/// How many of T's N initialisers the member at `At` takes: the array of K elements is the member
/// that braces around K initialisers stand for, with not one to spare behind them.
template <class T, size_t N, size_t At, size_t K>
constexpr size_t initialisers_of_member() {
  if constexpr (K < 2) {
    return 1;
  } else if constexpr (braces_with<T>(std::make_index_sequence<At>(), std::make_index_sequence<K>(),
                                      std::make_index_sequence<N - At - K>()) &&
                       !braces_with<T>(std::make_index_sequence<At>(),
                                       std::make_index_sequence<K>(),
                                       std::make_index_sequence<N - At - K + 1>())) {
    return K;
  } else {
    return initialisers_of_member<T, N, At, K - 1>();
  }
}

template <class T, size_t N, size_t At = 0>
constexpr size_t count_members() {
  if constexpr (At >= N) {
    return 0;
  } else {
    return 1 + count_members<T, N, At + initialisers_of_member<T, N, At, N - At>()>();
  }
}

/// The number of T's members; more than kMostFields where it is not worth counting.
template <class T>
constexpr size_t count_fields() {
  constexpr size_t kCount = count_initialisers<T>();
  if constexpr (kCount > kMostInitialisers) {
    return kCount;
  } else {
    return count_members<T, kCount>();
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
