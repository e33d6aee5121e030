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

/// True when the thread cannot answer a signal: it has ended, or blocks the signal. The kernel is
/// asked when `look` is true; else only threads found deaf before are asked about again.
[[nodiscard]] bool task_is_deaf(uint32_t tid, int signal, bool look);

}  // namespace burrow::os
