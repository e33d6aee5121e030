// Calls that block the thread. See sched.h, How 5.
#pragma once

namespace burrow::sched {

/// From here to `exit_blocking` the caller runs as a plain thread (`current` is null), and its
/// processor may go to others. False, and nothing is changed, when the caller is no goroutine (or
/// is inside already).
[[nodiscard]] bool enter_blocking();

/// Back to being a goroutine; waits for a processor. REQUIRES: enter_blocking returned true.
void exit_blocking();

/// Between the two for its life, where the caller is a goroutine: others may go on meanwhile.
class BlockingScope {
 public:
  BlockingScope() : entered_(enter_blocking()) {}

  ~BlockingScope() {
    if (entered_) {
      exit_blocking();
    }
  }

  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

 private:
  bool entered_;
};

}  // namespace burrow::sched
