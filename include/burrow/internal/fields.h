// The types and offsets of an aggregate's members, for `type_map`. Not for users: see gc.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
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

/// Unions, and types that have no name.
template <class T>
constexpr bool may_be_nameless() {
  std::string_view text = __PRETTY_FUNCTION__;
  auto says = [&](std::string_view words) { return text.find(words) != std::string_view::npos; };
  return std::is_union_v<T> || says("unnamed struct") || says("anonymous struct") ||
         says("unnamed class") || says("anonymous class");
}

/// Converts to what an anonymous member may be.
struct AnyNameless {
  AnyNameless() = default;
  AnyNameless(const AnyNameless&) = delete;

  template <class T>
    requires(may_be_nameless<T>())
  constexpr operator T() const noexcept;  // NOLINT(google-explicit-constructor)
};

template <class T, size_t... I, size_t... J>
constexpr bool nameless_between(std::index_sequence<I...> /*before*/,
                                std::index_sequence<J...> /*after*/) {
  return requires { T{AnyOf<I>{}..., AnyNameless{}, AnyOf<J>{}...}; };
}

template <class T, size_t... I>
constexpr bool sizeless_behind(std::index_sequence<I...> /*before*/) {
  return requires { T{AnyOf<I>{}..., {}}; };
}

/// Whether T, which takes N initialisers, has a member that a structured binding refuses or that
/// the count misses: an anonymous union or struct, or an array without elements at the end.
template <class T, size_t N>
constexpr bool has_odd_member() {
  return [&]<size_t... At>(std::index_sequence<At...>) {
    return (nameless_between<T>(std::make_index_sequence<At>(),
                                std::make_index_sequence<N - 1 - At>()) ||
            ... || sizeless_behind<T>(std::make_index_sequence<N>()));
  }(std::make_index_sequence<N>());
}

/// The number of T's members; 0 where it cannot be told or is not worth counting.
// NOLINTBEGIN(bugprone-branch-clone): the order of the questions counts
template <class T>
constexpr size_t count_fields() {
  constexpr size_t kCount = count_initialisers<T>();
  if constexpr (kCount > kMostInitialisers) {
    return 0;
  } else if constexpr (has_odd_member<T, kCount>()) {
    return 0;
  } else {
    constexpr size_t kMembers = count_members<T, kCount>();
    return kMembers > kMostFields ? 0 : kMembers;
  }
}

// NOLINTEND(bugprone-branch-clone)

/// Unevaluated. REQUIRES: T is an aggregate of N members without bases or anonymous unions.
template <class T, size_t N>
constexpr auto fields_of(T& t) {
  if constexpr (N == 1) {
    auto& [a] = t;
    return TypeList<decltype(a)>();
  } else if constexpr (N == 2) {
    auto& [a, b] = t;
    return TypeList<decltype(a), decltype(b)>();
  } else if constexpr (N == 3) {
    auto& [a, b, c] = t;
    return TypeList<decltype(a), decltype(b), decltype(c)>();
  } else if constexpr (N == 4) {
    auto& [a, b, c, d] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d)>();
  } else if constexpr (N == 5) {
    auto& [a, b, c, d, e] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e)>();
  } else if constexpr (N == 6) {
    auto& [a, b, c, d, e, f] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f)>();
  } else if constexpr (N == 7) {
    auto& [a, b, c, d, e, f, g] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g)>();
  } else if constexpr (N == 8) {
    auto& [a, b, c, d, e, f, g, h] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g), decltype(h)>();
  } else if constexpr (N == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g), decltype(h), decltype(i)>();
  } else if constexpr (N == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g), decltype(h), decltype(i), decltype(j)>();
  } else if constexpr (N == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g), decltype(h), decltype(i), decltype(j), decltype(k)>();
  } else {
    static_assert(N == 12);
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = t;
    return TypeList<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
                    decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l)>();
  }
}

/// An object that never is: only addresses in it are asked for.
template <class T>
union Unmade {
  constexpr Unmade() : bytes{} {}

  constexpr ~Unmade() {}  // NOLINT(modernize-use-equals-default): T may have a destructor

  char bytes[sizeof(T)];
  T value;
};

template <class T>
struct UnmadeObject {
  static constexpr Unmade<T> kObject{};
};

/// Where `member` lies in the Unmade<T>, if it is at a multiple of a pointer's size below `limit`;
/// otherwise SIZE_MAX.
template <class T, class M>
consteval size_t offset_in(const M& member, size_t limit) {
  const auto* address = static_cast<const volatile void*>(__builtin_addressof(member));
  const char* bytes = UnmadeObject<T>::kObject.bytes;
  for (size_t at = 0; at < sizeof(T) && at < limit; at += sizeof(void*)) {
    if (address == static_cast<const volatile void*>(bytes + at)) {
      return at;
    }
  }
  return SIZE_MAX;
}

/// Where the members of T lie. No constant where that cannot be told: a bit-field has no address.
/// REQUIRES: as `fields_of`, and no member is volatile.
template <class T, size_t N>
consteval std::array<size_t, N> field_offsets(size_t limit) {
  const T& t = UnmadeObject<T>::kObject.value;
  if constexpr (N == 1) {
    const auto& [a] = t;
    return {offset_in<T>(a, limit)};
  } else if constexpr (N == 2) {
    const auto& [a, b] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit)};
  } else if constexpr (N == 3) {
    const auto& [a, b, c] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit)};
  } else if constexpr (N == 4) {
    const auto& [a, b, c, d] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit)};
  } else if constexpr (N == 5) {
    const auto& [a, b, c, d, e] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit)};
  } else if constexpr (N == 6) {
    const auto& [a, b, c, d, e, f] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit)};
  } else if constexpr (N == 7) {
    const auto& [a, b, c, d, e, f, g] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit)};
  } else if constexpr (N == 8) {
    const auto& [a, b, c, d, e, f, g, h] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit), offset_in<T>(h, limit)};
  } else if constexpr (N == 9) {
    const auto& [a, b, c, d, e, f, g, h, i] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit), offset_in<T>(h, limit), offset_in<T>(i, limit)};
  } else if constexpr (N == 10) {
    const auto& [a, b, c, d, e, f, g, h, i, j] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit), offset_in<T>(h, limit), offset_in<T>(i, limit),
            offset_in<T>(j, limit)};
  } else if constexpr (N == 11) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit), offset_in<T>(h, limit), offset_in<T>(i, limit),
            offset_in<T>(j, limit), offset_in<T>(k, limit)};
  } else {
    static_assert(N == 12);
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = t;
    return {offset_in<T>(a, limit), offset_in<T>(b, limit), offset_in<T>(c, limit),
            offset_in<T>(d, limit), offset_in<T>(e, limit), offset_in<T>(f, limit),
            offset_in<T>(g, limit), offset_in<T>(h, limit), offset_in<T>(i, limit),
            offset_in<T>(j, limit), offset_in<T>(k, limit), offset_in<T>(l, limit)};
  }
}

}  // namespace burrow::internal
