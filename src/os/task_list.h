// The threads of the process, as the kernel lists them. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::os {

/// Calls `visit` with each thread's number. Threads that come or go meanwhile may be left out.
/// False when the kernel's list cannot be read, or is not one of this process by these numbers
/// (/proc is missing or another PID namespace's, descriptors are out): then nothing is known.
[[nodiscard]] bool for_each_task(void (*visit)(void* argument, uint32_t tid), void* argument);

template <typename F>
[[nodiscard]] bool for_each_task(F visit) {
  return for_each_task([](void* f, uint32_t tid) { (*static_cast<F*>(f))(tid); }, &visit);
}

/// What the kernel tells about a thread.
struct TaskStatus {
  enum class Known : uint8_t {
    kYes,
    kGone,  ///< there is no such thread any more
    kNo,    ///< the kernel could not be asked
  };
  Known known = Known::kNo;
  char state = '?';       ///< R, S, D, T, t, Z or X, see proc(5)
  uint64_t blocked = 0;   ///< signal n at bit n - 1
  uint64_t switches = 0;  ///< how often it has left a processor: the same number, it has not run
  uint32_t tracer = 0;    ///< who debugs it

  [[nodiscard]] bool blocks(int signal) const { return (blocked >> (signal - 1) & 1) != 0; }

  /// It runs no code of the program any more, though it is listed.
  [[nodiscard]] bool ended() const { return known == Known::kYes && state == 'Z'; }
};

[[nodiscard]] TaskStatus task_status(uint32_t tid);

/// The name of a thread, without zero at the end; what was written to `name`.
size_t task_name(uint32_t tid, char* name, size_t capacity);

}  // namespace burrow::os
