// Stopping every other thread of the process, wherever it is. See os.h.
//
// What. `stop_threads` returns when no other thread runs code of the program, and tells where each
// has its stack and registers; or it fails, and then nobody is stopped.
//
// How.
//  1. Each thread is sent a signal; its handler notes where the thread's stack is and waits. A
//     thread that must not be stopped just now returns from the handler, and stops when its hold
//     ends (hold.h). Where threads often pass `stop_if_asked`, they send the signal to themselves
//     when a stop is on: that takes a microsecond, to wait for another's some tens. Where each
//     thread is likely to have a processor, all wait awake for a moment, because most stops take
//     less than to be woken.
//  2. A thread that has not stopped after 2 ms is looked up in /proc. One that blocks the signal
//     (the C library's threads for timers and asynchronous input and output do) is traced by a
//     helper process (tracer.h), whose ptrace tells all registers.
//  3. A thread that can be neither signalled nor traced makes the stop fail, after 10 ms when the
//     kernel or a debugger has it, after a second when it only does not run. The others go on, and
//     the next try fails at once as long as that thread stands as it did (`stop_would_fail`).
//
// Invariants.
//  - A thread counts as stopped when its own handler or the tracer has said so, or when it has
//    ended. A list of threads that cannot be read makes the stop fail.
//  - In the handler all signals are blocked, the C library's own two as well: cancellation must not
//    unwind out of it. SIGSEGV and SIGBUS are not, because writes to watched memory raise them.
//  - A handler that a failed stop has left behind takes no place in the next one: places are given
//    out with the stop's number.
//
// Locks. None. While threads are stopped they may hold any lock but those that `may_stop` speaks
// of: the stop's owner takes none.
//
// Rejected.
//  - Tracing all threads: some tens of microseconds each, twice what a signal takes.
//  - The kernel's /proc/self/task/N/syscall for threads that sleep: it tells the arguments and the
//    stack pointer, but not rbx, rbp, r12 to r15, where a caller may have its only pointer.
//  - Waiting for as long as it takes, with all others stopped: one thread in vfork or on a dead
//    network drive would hold up the program.
//  - The C library's signals 32 and 33, which no set of the program has: glibc installs its own
//    handlers for them when it likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/hold.h"
#include "base/printer.h"

namespace burrow::os {

/// Where a stopped thread keeps what its program knows.
struct StoppedThread {
  uint32_t tid = 0;
  uintptr_t sp = 0;           ///< stack pointer, less the red zone
  uintptr_t stack_limit = 0;  ///< end of the stack that `sp` is on, if the owner of threads says
  uintptr_t context = 0;      ///< the saved registers: [context, context_end)
  uintptr_t context_end = 0;
  uintptr_t vectors = 0;         ///< of these, where the vector registers begin; 0: among the rest
  uintptr_t thread_pointer = 0;  ///< the thread's static thread_locals end here; 0 without any
  uintptr_t other_start = 0;     ///< another stack that the thread has calls on; 0: none
  uintptr_t other_limit = 0;     ///< 0: not known
  /// `sp` may be on a signal stack that lies inside a stack with calls below it: a local array of a
  /// function that is still running.
  bool below_too = false;
};

/// What the owner of the threads tells the stop. Called in the thread's handler, or on the stop's
/// owner for a thread that is traced.
struct StopCallbacks {
  /// False when the thread must not be stopped now.
  bool (*may_stop)(const Hold& hold) = nullptr;
  /// With `sp` and `thread_pointer` set: may set `stack_limit` and the other stack.
  void (*stacks)(StoppedThread& thread) = nullptr;
};

/// Installs the handler; once, before the first stop. False when the system refuses.
[[nodiscard]] bool stop_init(const StopCallbacks& callbacks);

/// Stops all threads of the process but the calling one and those of `start_background_thread`.
/// Nothing when one cannot be stopped now: then all go on. One stop at a time.
[[nodiscard]] std::optional<std::span<const StoppedThread>> stop_threads();

/// The last stop failed, and what it failed for is as it was: trying again would only hold the
/// others up.
[[nodiscard]] bool stop_would_fail();

/// Prints why the last stop failed, as the second half of a sentence.
void print_failed_stop(Printer& out);

/// Stops the calling thread here if it is asked to and the signal is still on its way. For places
/// that threads often pass and where they may be stopped.
void stop_if_asked();

/// The calling thread is not asked to stop from now on, or is again. A thread has to take it back
/// before it ends: its number may serve another. False when memory is out.
[[nodiscard]] bool never_stop_this_thread(bool never);

/// Lets them go on.
void resume_threads();

/// Signals that find their thread blocked in a system call interrupt it (SA_RESTART is set).
[[nodiscard]] int stop_signal();

/// Where the calling thread's static thread_locals end.
[[nodiscard]] uintptr_t thread_pointer();

/// Another thread's variable, of which `mine` is the calling thread's. REQUIRES: the other thread
/// is stopped, and has thread_locals.
template <typename T>
[[nodiscard]] T& of_thread(T& mine, uintptr_t other) {
  return *reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(&mine) - thread_pointer() + other);
}

/// Bytes of static thread_locals below the thread pointer, and of the thread's descriptor above.
[[nodiscard]] size_t static_tls_bytes();
[[nodiscard]] size_t thread_descriptor_bytes();

/// In the child of a fork: nobody is stopped.
void stop_reset_after_fork();

/// Faults that tests plant. All false outside of tests.
struct StopFaults {
  bool trust_deaf_threads = false;   ///< threads that block the signal count as stopped
  bool no_traced_registers = false;  ///< the registers of traced threads are not told
  bool trust_missing_list = false;   ///< a list of threads that cannot be read counts as empty
  bool no_trace = false;             ///< tracing is refused, as some systems do
};

inline constinit StopFaults g_stop_faults;

}  // namespace burrow::os
