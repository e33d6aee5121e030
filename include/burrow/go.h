// Goroutines: functions that run at the same time on few threads, each on a stack of its own.
//
//     int main() {
//       return burrow::run([] {
//         burrow::go([] { ... });
//         burrow::sleep_for(std::chrono::milliseconds(10));
//         return 0;
//       });
//     }
//
// A goroutine that waits (in `sleep_for`, for a descriptor) lets its thread run
// others, and goes on later on whichever thread comes first. So:
//  - errno and exceptions in flight travel with the goroutine. Other `thread_local` variables are
//    the thread's: do not keep one, or its address, over anything that may wait. A compiler may
//    keep the address of errno itself over a call in one function; read it before.
//  - A std::mutex may not be held over anything that may wait.
//  - A call that blocks the thread (file I/O, a C library's wait) belongs into `blocking`.
//  - A goroutine that computes without end keeps its thread; others run on the others.
//
// The stack's size is address space, which costs nothing until it is touched: BURROW_STACK=1G (or
// 256K) sets it, 64 MiB by default. An overflow ends the program with a message. A frame of more
// than 64 KiB that is not touched page by page could step over the guard: compile such code with
// -fstack-clash-protection.
//
// An exception that leaves a goroutine ends the program with "panic: WHAT" and its stack, exit
// code 2. So do, as in Go, a standstill of all goroutines while `run` runs, and SIGQUIT, with the
// stacks of all, unless the program handles that signal itself.
//
// After fork the child has only the thread that called it: it may call exec, and must not use
// goroutines (it ends with a message if it does).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
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
  }
}

template <typename Duration>
constexpr int64_t to_ns(Duration duration) {
  using Wide = std::chrono::duration<long double, std::nano>;
  long double ns = std::chrono::duration_cast<Wide>(duration).count();
  return ns >= 9.2e18L ? INT64_MAX : ns <= -9.2e18L ? INT64_MIN : static_cast<int64_t>(ns);
}

}  // namespace internal

/// The clock of deadlines.
using Deadline = std::chrono::steady_clock::time_point;

/// A deadline that never comes.
inline constexpr Deadline kNoDeadline = Deadline::max();

/// Starts a goroutine that calls f(args...). Both are copied or moved into it (pass std::ref for
/// references); move-only ones are fine. From goroutines and from plain threads, which need no
/// `run`. There is no handle.
template <typename F, typename... Args>
[[gnu::always_inline]] inline void go(F&& f, Args&&... args) {
  static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
                "go(f, args...): f cannot be called with these arguments");
  internal::go_closure<internal::Closure<F, Args...>>(std::forward<F>(f),
                                                      std::forward<Args>(args)...);
}

/// Runs main() as a goroutine and waits for it; the result is main's (0 when it gives nothing).
/// Other goroutines are not waited for: they go on, as threads do, until the program ends. May be
/// called again, by several threads, and on a goroutine (where it simply calls).
template <typename F>
int run(F&& main) {
  static_assert(std::is_invocable_v<F&>, "run(main): main takes no arguments");
  int result = 0;
  auto call = [&] {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      std::invoke(main);
    } else {
      result = static_cast<int>(std::invoke(main));
    }
  };
  internal::run_and_wait([](void* raw) { (*static_cast<decltype(call)*>(raw))(); }, &call);
  return result;
}

/// Lets others run first (Go's runtime.Gosched).
void yield();

/// Waits. On a plain thread it sleeps.
template <typename Rep, typename Period>
void sleep_for(std::chrono::duration<Rep, Period> duration) {
  internal::sleep_for_ns(internal::to_ns(duration));
}

/// Calls f(), which may block the thread; meanwhile other goroutines run on another. Gives f's
/// result. Inside f the caller counts as a plain thread: what waits blocks the thread.
template <typename F>
decltype(auto) blocking(F&& f) {
  struct Scope {
    bool entered = internal::enter_blocking();

    ~Scope() {
      if (entered) {
        internal::exit_blocking();
      }
    }
  } scope;

  return std::invoke(std::forward<F>(f));
}

/// Goroutines that have begun and not ended.
[[nodiscard]] size_t num_goroutine();

/// Sets how many goroutines run at one time and returns the former number; 0 only returns it
/// (Go's GOMAXPROCS). At the start it is BURROW_PROCS, or the processors that the process may use.
/// Lowering counts for each processor when its goroutine next waits or yields.
int set_processors(int count);

/// Waits until reading from `fd` (a socket, a pipe; non-blocking, usually) would not block, or it
/// is at its end or in error: the read that follows will tell. False: the deadline came first.
/// May be early when others read from the same descriptor. Regular files are always ready.
/// A descriptor must not be closed while somebody waits for it: use shutdown first.
[[nodiscard]] bool wait_readable(int fd, Deadline deadline = kNoDeadline);

/// The same for writing.
[[nodiscard]] bool wait_writable(int fd, Deadline deadline = kNoDeadline);

}  // namespace burrow
