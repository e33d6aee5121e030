// Stopping every other thread of the process, wherever it is. See os.h.
//
// Each thread is sent a signal; its handler notes where the thread's stack is and waits. A thread
// that must not be stopped just now returns from the handler, and stops when its hold ends
// (hold.h). Where threads often pass `stop_if_asked`, they send the signal to themselves when a
// stop is on: that takes a microsecond, to wait for another's some tens. Where each thread is
// likely to have a processor, all wait awake for a moment, because most stops take less than to be
// woken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::os {

/// Where a stopped thread keeps what its program knows.
struct StoppedThread {
  uint32_t tid = 0;
  uintptr_t sp = 0;           ///< stack pointer, less the red zone
  uintptr_t stack_limit = 0;  ///< end of the stack that `sp` is on, if the owner of threads says
  uintptr_t context = 0;      ///< the saved registers: [context, context_end)
  uintptr_t context_end = 0;
  uintptr_t thread_pointer = 0;  ///< the thread's static thread_locals end here
  uintptr_t other_start = 0;     ///< another stack that the thread has calls on; 0: none
  uintptr_t other_limit = 0;     ///< 0: not known
};

/// What the owner of the threads tells the stop.
struct StopCallbacks {
  /// Called in the thread's handler: false when it must not be stopped now.
  bool (*may_stop)() = nullptr;
  /// Called in the thread's handler, with `sp` set: may set `stack_limit` and the other stack.
  void (*stacks)(StoppedThread& thread) = nullptr;
};

/// Installs the handler; once, before the first stop. False when the system refuses.
[[nodiscard]] bool stop_init(const StopCallbacks& callbacks);

/// Stops all threads of the process but the calling one and those of `start_background_thread`.
/// Returns when they have stopped; ends the program when one sleeps and blocks the signal (see
/// signal_mask.h). While they are stopped they may hold any lock but those that `may_stop` speaks
/// of: take none. One stop at a time.
std::span<const StoppedThread> stop_threads();

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

/// Bytes of static thread_locals below the thread pointer, and of the thread's descriptor above.
[[nodiscard]] size_t static_tls_bytes();
[[nodiscard]] size_t thread_descriptor_bytes();

/// In the child of a fork: nobody is stopped.
void stop_reset_after_fork();

}  // namespace burrow::os
