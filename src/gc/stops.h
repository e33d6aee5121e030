// Stops of the world that may fail: when to try again, and what the program is told. See os/stop.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "os/stop.h"

namespace burrow::gc {

/// After so long without a stop that succeeds the program is told, in one line, and `collect`
/// returns. Tests shorten it.
inline constinit int64_t g_tell_after_ns = 10'000'000'000;

/// The collector's thread calls the methods that are not const.
class Stops {
 public:
  constexpr Stops() = default;

  /// As os::stop_threads.
  [[nodiscard]] std::optional<std::span<const os::StoppedThread>> stop();

  /// After one that failed: sleeps until another try may succeed. Calls `tell` after each look, for
  /// those who wait for a cycle.
  void await_chance(void (*tell)());

  /// Stops have failed for a while: nobody who allocates waits for a cycle.
  [[nodiscard]] bool failing() const { return state_.load(std::memory_order_relaxed) != kFine; }

  /// For so long that the program was told: nobody waits for a cycle at all.
  [[nodiscard]] bool given_up() const { return state_.load(std::memory_order_relaxed) == kGivenUp; }

  /// In the child of a fork, where the thread is gone that could not be stopped.
  void reset_after_fork();

 private:
  enum State : uint8_t { kFine, kFailing, kGivenUp };

  void note_failing();

  // Relaxed: it steers.
  std::atomic<State> state_{kFine};
  int64_t failing_since_ns_ = 0;
  int64_t rest_ns_ = 0;  ///< how long the others run before the next try
};

inline constinit Stops g_stops;

}  // namespace burrow::gc
