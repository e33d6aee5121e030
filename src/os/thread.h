// Threads: what happens at their end, and Burrow's own background ones. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace burrow::os {

/// Calls `function` with `argument` when the calling thread ends, as late as the system allows
/// (after other thread-exit handlers, where it can tell). One registration a thread; registering
/// again replaces the argument. False when the system has no slot left.
[[nodiscard]] bool at_thread_exit(void (*function)(void*), void* argument);

/// Starts a detached thread with all signals blocked. False when the system refuses.
[[nodiscard]] bool start_background_thread(const char* name, void (*function)(),
                                           size_t stack_bytes = size_t{256} * 1024);

/// As start_background_thread, but the thread is to be waited for by `join_thread`, with the number
/// that is returned.
[[nodiscard]] std::optional<uint64_t> start_joinable_thread(const char* name, void (*function)(),
                                                            size_t stack_bytes);
void join_thread(uint64_t thread);

/// True on the thread that the process began with.
[[nodiscard]] bool is_first_thread();

/// Threads of `start_background_thread` and `start_thread` that have not ended.
[[nodiscard]] size_t own_threads();

/// Threads of the process; 0 when unknown.
[[nodiscard]] size_t process_threads();

/// Starts a detached thread with the caller's signal mask, for code of the program's; with that of
/// the program's thread that started the first one in the background, when the caller is in the
/// background. False when the system refuses.
[[nodiscard]] bool start_thread(const char* name, void (*function)(void*), void* argument);

/// Names the calling thread, as tools show it; at most 15 bytes.
void name_thread(const char* name);

/// Where the calling thread's errno is: not to be used on another thread.
[[nodiscard]] int* errno_address();

/// Lets other threads run.
void yield_thread();

/// Starts a detached thread that runs code of the program: with an ordinary stack, and with all
/// signals blocked but the one that stops threads. False when the system refuses.
[[nodiscard]] bool start_mutator_thread(const char* name, void (*function)());

/// An address up to which the calling thread's stack is readable from `sp` on, so far as it can be
/// told without a system call or a lock; 0 when `sp` is on no stack that the system or
/// `add_stack_area` made.
[[nodiscard]] uintptr_t stack_end(uintptr_t sp);

/// Prepares for `thread_barrier`; false when the system has none.
[[nodiscard]] bool prepare_thread_barrier();
/// Every running thread of the process executes a full memory barrier between the call and its
/// return: so a thread that does something often can do without one. False when the system refuses
/// (a filter that was installed since). REQUIRES: it was prepared.
[[nodiscard]] bool thread_barrier();

/// Sleeps on the monotonic clock.
void sleep_ms(int milliseconds);
void sleep_ns(int64_t nanoseconds);

}  // namespace burrow::os
