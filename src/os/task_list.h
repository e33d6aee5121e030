// The threads of the process, as the kernel lists them. See os.h.
#pragma once

#include <cstdint>

namespace burrow::os {

/// Calls `visit` with each thread's number. Threads that come or go meanwhile may be left out.
void for_each_task(void (*visit)(void* argument, uint32_t tid), void* argument);

template <typename F>
void for_each_task(F visit) {
  for_each_task([](void* f, uint32_t tid) { (*static_cast<F*>(f))(tid); }, &visit);
}

/// What a thread can do about a signal.
enum class TaskState : uint8_t {
  kAnswers,  ///< it will, when it gets to run
  kEnded,    ///< it never will
  kDeaf,     ///< it sleeps, and blocks the signal
};

/// The kernel is asked when `look` is true; else only of threads that were found ended before (the
/// process's first thread stays listed until the others have ended too).
[[nodiscard]] TaskState task_state(uint32_t tid, int signal, bool look);

}  // namespace burrow::os
