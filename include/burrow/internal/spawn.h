// What starts goroutines: `go`, and what the templates of go.h stand on. Include go.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace burrow {

/// Not for use: what the templates below stand on.
namespace internal {

struct NewGoroutine {
  void* goroutine;
  void* closure;
};

NewGoroutine new_goroutine(size_t closure_bytes, size_t closure_align);
void abandon_goroutine(void* goroutine) noexcept;
void start_goroutine(void* goroutine, void (*invoke)(void*)) noexcept;
void run_and_wait(void (*main)(void*), void* argument);
bool enter_blocking() noexcept;
void exit_blocking() noexcept;
void sleep_for_ns(int64_t duration_ns);

/// A function and its arguments, called once.
template <typename F, typename... Args>
struct Closure {
  explicit Closure(F&& f, Args&&... args)
      : function(std::forward<F>(f)), arguments(std::forward<Args>(args)...) {}

  std::decay_t<F> function;
  std::tuple<std::decay_t<Args>...> arguments;

  void operator()() {
    std::apply([&](auto&... args) { std::invoke(std::move(function), std::move(args)...); },
               arguments);
  }

  static void invoke(void* raw) {
    auto* closure = static_cast<Closure*>(raw);
    (*closure)();
    closure->~Closure();
  }
};

/// Closures up to this size lie on the new goroutine's stack, larger ones on the heap.
inline constexpr size_t kMostOnStack = 1024;

// Inlined, so that the call of start_goroutine, which remembers where it was called, lies in the
// user's function.
template <typename C, typename... Args>
[[gnu::always_inline]] inline void go_closure(Args&&... args) {
  if constexpr (sizeof(C) > kMostOnStack || alignof(C) > 64) {
    auto call = [c = std::make_unique<C>(std::forward<Args>(args)...)] { (*c)(); };
    go_closure<Closure<decltype(call)>>(std::move(call));
  } else {
    struct Taken {  // gives the goroutine back when copying an argument throws
      NewGoroutine made;
      bool started = false;

      ~Taken() {
        if (!started) {
          abandon_goroutine(made.goroutine);
        }
      }
    } taken{new_goroutine(sizeof(C), alignof(C))};

    ::new (taken.made.closure) C(std::forward<Args>(args)...);
    taken.started = true;
    start_goroutine(taken.made.goroutine, C::invoke);
    asm volatile("");  // no jump instead of the call: it would lie in the caller's function
  }
}

template <typename Duration>
constexpr int64_t to_ns(Duration duration) {
  using Wide = std::chrono::duration<long double, std::nano>;
  long double ns = std::chrono::duration_cast<Wide>(duration).count();
  return ns >= 9.2e18L ? INT64_MAX : ns <= -9.2e18L ? INT64_MIN : static_cast<int64_t>(ns);
}

}  // namespace internal

/// Starts a goroutine that calls f(args...). Both are copied or moved into it (pass std::ref for
/// references); move-only ones are fine. From goroutines and from plain threads, which need no
/// `run`. There is no handle: use a channel or a WaitGroup to wait for it.
template <typename F, typename... Args>
[[gnu::always_inline]] inline void go(F&& f, Args&&... args) {
  static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
                "go(f, args...): f cannot be called with these arguments");
  internal::go_closure<internal::Closure<F, Args...>>(std::forward<F>(f),
                                                      std::forward<Args>(args)...);
}

}  // namespace burrow
