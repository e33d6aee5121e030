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
// A goroutine that waits (in a channel, in `sleep_for`, for a descriptor) lets its thread run
// others, and goes on later on whichever thread comes first. So:
//  - errno and exceptions in flight travel with the goroutine. Other `thread_local` variables are
//    the thread's: do not keep one, or its address, over anything that may wait. A compiler may
//    keep the address of errno itself over a call in one function; read it before.
//  - A std::mutex may not be held over anything that may wait. burrow::Mutex may.
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

#include <burrow/internal/cxx20.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "burrow/internal/spawn.h"  // IWYU pragma: export
#include "burrow/sync.h"            // IWYU pragma: export
#include "burrow/timer.h"           // IWYU pragma: export

namespace burrow {

/// The clock of deadlines.
using Deadline = std::chrono::steady_clock::time_point;

/// A deadline that never comes.
inline constexpr Deadline kNoDeadline = Deadline::max();

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
/// result. Inside f the caller counts as a plain thread: channels and the like block the thread.
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
