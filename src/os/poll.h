// One set of file descriptors that a thread can wait for. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::os {

/// What can be waited for, and what came.
struct PollEvents {
  bool readable = false;  ///< or at its end, or in error
  bool writable = false;  ///< or in error
};

/// What `arm` found.
enum class ArmResult : uint8_t {
  kArmed,    ///< an event will come
  kRenewed,  ///< so, but the descriptor was new to the set: what waited on its number before is
             ///< gone
  kAlways,   ///< such a descriptor (a regular file) is always ready
  kBad,      ///< not an open descriptor
  kRefused,  ///< the system has no room for more
};

/// An event that came.
struct PollEvent {
  int fd = -1;
  PollEvents events;
};

/// An epoll set. Arming is for one event; what is true already counts as one, so that nothing is
/// lost between looking and waiting.
class PollSet {
 public:
  /// False when the system refuses. Called once.
  [[nodiscard]] bool open();

  /// Asks for the next event of `fd` among `wanted`, in place of what was asked for before.
  /// Any thread.
  [[nodiscard]] ArmResult arm(int fd, PollEvents wanted);

  /// Waits up to `timeout_ns` (negative: for ever; 0: not at all) and stores what came. Ends early
  /// at `interrupt`. One thread at a time may wait; any number may look (0).
  [[nodiscard]] size_t wait(std::span<PollEvent> events, int64_t timeout_ns);

  /// Makes the wait that runs, or else the next, end. Any thread.
  void interrupt();

 private:
  int epoll_ = -1;
  int wake_ = -1;
};

/// Waits for one descriptor on a plain thread; false at the timeout (negative: never).
[[nodiscard]] bool poll_one(int fd, PollEvents wanted, int64_t timeout_ns);

}  // namespace burrow::os
