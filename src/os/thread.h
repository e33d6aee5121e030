// Threads: what happens at their end, and Burrow's own background ones. See os.h.
#pragma once

#include <cstdint>

namespace burrow::os {

/// Calls `function` with `argument` when the calling thread ends, as late as the system allows
/// (after other thread-exit handlers, where it can tell). One registration a thread; registering
/// again replaces the argument. False when the system has no slot left.
[[nodiscard]] bool at_thread_exit(void (*function)(void*), void* argument);

/// Starts a detached thread with all signals blocked and a small stack. False when the system
/// refuses.
[[nodiscard]] bool start_background_thread(const char* name, void (*function)());

/// An address up to which the calling thread's stack is readable from `sp` on, so far as it can be
/// told without a system call or a lock; 0 when `sp` is on no stack that the system made.
[[nodiscard]] uintptr_t stack_end(uintptr_t sp);

/// Sleeps on the monotonic clock.
void sleep_ms(int milliseconds);

}  // namespace burrow::os
