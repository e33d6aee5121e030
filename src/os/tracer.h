// Stopping a thread that blocks the stop's signal: a helper process traces it. See stop.h.
//
// The helper shares the memory and the descriptors of the process, and lives as long as a stop that
// needs it. It makes no thread of the program a child's parent: nobody is told when it ends, and a
// program's `wait` does not see it. Should somebody kill it, the kernel kills the threads it holds
// and with them the process: they must not run on beside a stopped world.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::os {

/// Where a traced thread stands.
struct TracedThread {
  uintptr_t sp = 0;
  uintptr_t thread_pointer = 0;
  uintptr_t registers = 0;  ///< all of them, vector registers too: [registers, registers_end)
  uintptr_t registers_end = 0;
};

enum class TraceResult : uint8_t {
  kStopped,
  kGone,     ///< the thread has ended
  kRefused,  ///< the system does not allow it, or somebody else traces the thread
  kLate,     ///< it did not come to a stop in time; the helper is gone, and nothing is traced now
};

/// One user at a time. The threads that are traced know nothing of it; a system call in which one
/// sleeps is restarted, or returns EINTR as after a handler (see signal(7)).
class Tracer {
 public:
  static constexpr size_t kMostThreads = 1024;

  constexpr Tracer() = default;

  /// Stops a thread wherever it is in the program. REQUIRES: it is not traced here already.
  TraceResult stop(uint32_t tid, TracedThread& thread);

  /// Lets the thread that was stopped last go on.
  void let_go();

  /// Lets all go on. The helper ends.
  void let_all_go();

  /// In the child of a fork.
  void reset_after_fork();

  /// Why the last stop was refused: an error's number.
  [[nodiscard]] int error() const;

 private:
  [[nodiscard]] bool start();
  void end();
  /// Hands the helper an order and waits for its answer. False when the helper is dead.
  bool order(uint32_t what, uint32_t tid);

  uint32_t helper_ = 0;
  bool asked_leave_ = false;
};

}  // namespace burrow::os
