// Go's func value: something to call, and what it captured.
//
//     burrow::Func<int(int)> add = [n](int x) { return n + x; };
//
// Copies share the captures. Captures are on the collected heap, so that the collector follows them
// and nobody counts references; functions and lambdas that capture up to 8 plain bytes need no
// allocation. A Func may be anywhere a pointer to a collected object may be.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#include "burrow/gc.h"
#include "burrow/internal/panic.h"
#include "burrow/internal/type.h"

namespace burrow {

template <class Signature>
class Func;

namespace internal {

/// How an argument of type A goes through a Func: small plain ones in registers.
template <class A>
using FuncArgument = std::conditional_t<std::is_reference_v<A> || kInWord<A>, A, A&&>;

/// Callables that may be copied rather than shared: nobody can tell the difference.
template <class F, class R, class... A>
inline constexpr bool kCallInWord = kInWord<F> && std::is_invocable_r_v<R, const F&, A...>;

template <class F>
bool is_null(const F& f) {
  // Pointers, std::function and the like; a lambda is no such thing, though it compares.
  if constexpr (std::is_constructible_v<F, std::nullptr_t> && requires { f == nullptr; }) {
    return f == nullptr;
  } else {
    return false;
  }
}

}  // namespace internal

/// Two words: the code and the captures. Calling one that is null ends the program with Go's
/// message. The destructors of captures run once, some time after the last copy has gone.
template <class R, class... A>
class Func<R(A...)> {
 public:
  constexpr Func() noexcept = default;

  constexpr Func(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Func> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, A...>)
  Func(F&& f) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    using Callable = std::decay_t<F>;
    if (internal::is_null<Callable>(f)) {
      return;
    }
    if constexpr (internal::kCallInWord<Callable, R, A...>) {
      void* word = nullptr;
      Callable copy(std::forward<F>(f));
      std::memcpy(&word, &copy, sizeof(copy));
      captures_ = made(word, &call_in_word<Callable>);
      code_ = &call_in_word<Callable>;
    } else {
      captures_ = made(make<Callable>(std::forward<F>(f)), &call_boxed<Callable>);
      code_ = &call_boxed<Callable>;
    }
  }

  R operator()(A... arguments) const {
    if (__builtin_expect(code_ == nullptr, 0)) {
      internal::panic_runtime("invalid memory address or nil pointer dereference");
    }
    return code_(used(captures_.get()), std::forward<A>(arguments)...);
  }

  explicit operator bool() const noexcept { return code_ != nullptr; }

  friend bool operator==(const Func& f, std::nullptr_t) { return f.code_ == nullptr; }

 private:
  friend struct type_map<Func>;

  using Code = R (*)(void* captures, internal::FuncArgument<A>... arguments);

  // C++23's std::invoke_r.
  template <class F>
  static R invoke(F& f, internal::FuncArgument<A>... arguments) {
    if constexpr (std::is_void_v<R>) {
      std::invoke(f, std::forward<A>(arguments)...);
    } else {
      return std::invoke(f, std::forward<A>(arguments)...);
    }
  }

  template <class F>
  static R call_in_word(void* captures, internal::FuncArgument<A>... arguments) {
    // Through a union, as F need not have a default value.
    union Copy {
      constexpr Copy() : bytes{} {}

      unsigned char bytes[sizeof(void*)];
      F f;
    } copy;

    std::memcpy(copy.bytes, &captures, sizeof(captures));
    const F& f = copy.f;
    return invoke(f, std::forward<A>(arguments)...);
  }

  template <class F>
  static R call_boxed(void* captures, internal::FuncArgument<A>... arguments) {
    return invoke(*static_cast<F*>(captures), std::forward<A>(arguments)...);
  }

  // For the plugin, which charges captures with what their code does where the two are joined: a
  // call of a Func, whose code nobody knows, does nothing more to them.
  static void* made(void* captures, [[maybe_unused]] Code code) {
#ifdef __BURROW_PLUGIN__
    return burrow_closure_made(captures, reinterpret_cast<void*>(code));
#else
    return captures;
#endif
  }

  static void* used(void* captures) {
#ifdef __BURROW_PLUGIN__
    return burrow_closure_used(captures);
#else
    return captures;
#endif
  }

  Code code_ = nullptr;
  Ptr<void> captures_;
};

template <class R, class... A>
struct type_map<Func<R(A...)>> {
  static constexpr internal::PointerMap kFields = internal::map_of_second_word();
  static constexpr bool kZeroed = true;
};

static_assert(sizeof(Func<void()>) == 2 * sizeof(void*));

}  // namespace burrow
