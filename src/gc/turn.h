// Turns: how the collector's threads share the processors with the program. See gc.h, "A cycle".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace burrow::gc {

/// How the collector works.
enum class Pace : uint8_t {
  kBeside,   ///< with the program: in short turns, so that it waits for none longer than one
  kStopped,  ///< the world waits
};

/// How many `Waiter`s there are. Relaxed: it steers.
inline constinit std::atomic<uint32_t> g_waiters{0};

/// While one lives, a thread of the program can do nothing before the collector gets on, so turns
/// do not end.
class Waiter {
 public:
  Waiter() { g_waiters.fetch_add(1, std::memory_order_relaxed); }

  ~Waiter() { g_waiters.fetch_sub(1, std::memory_order_relaxed); }

  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// There are some.
  [[nodiscard]] static bool any() { return g_waiters.load(std::memory_order_relaxed) != 0; }

  /// In the child of a fork.
  static void reset_after_fork() { g_waiters.store(0, std::memory_order_relaxed); }
};

/// Processor time of the collector's threads in a cycle, against what is owed to them: a quarter of
/// the processors, as Go's have.
class Quota {
 public:
  constexpr Quota() = default;

  /// A cycle begins. REQUIRES: no turn.
  void begin(size_t processors);

  /// Adds processor time; true while the threads have had less than they are owed.
  bool add(int64_t cpu_ns);

 private:
  int64_t started_ns_ = 0;
  int64_t processors_ = 1;
  std::atomic<int64_t> cpu_ns_{0};  // relaxed: it steers
};

/// What a thread of the collector does at a stretch. The kernel's own slices are milliseconds, and
/// so long would a thread of the program wait for the processor that one of the collector's has
/// taken. So those give it up by themselves; while they have had less than they are owed, later.
class Turn {
 public:
  Turn(Quota& quota, Pace pace);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  [[nodiscard]] bool beside() const { return pace_ == Pace::kBeside; }

  /// Gives the processor up when the turn is over. To be called every 20 us or so. REQUIRES: the
  /// caller holds no lock that the program may want.
  void check();

 private:
  bool account(int64_t now_ns);

  Quota& quota_;
  Pace pace_;
  int64_t started_ns_ = 0;
  int64_t cpu_ns_ = 0;  ///< of the thread, when the turn started
  int64_t length_ns_;
};

}  // namespace burrow::gc
