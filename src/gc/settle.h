// What becomes of specials whose objects were not reached. See gc.h, "Cleanups".
#pragma once

#include <atomic>
#include <cstdint>

namespace burrow::gc {

/// Set while the world is stopped, and until all is marked that destructors may use: until then
/// memory that was handed out before is not used again. Release when cleared, acquire by those who
/// allocate.
extern constinit std::atomic<bool> g_settling;

[[nodiscard]] inline bool settling() {
  return g_settling.load(std::memory_order_acquire);
}

/// Marking has ended. REQUIRES: the world is stopped, and `settle` is called when it goes on.
void begin_settle();

/// What `settle` marked besides.
struct Settled {
  uint64_t marked_bytes = 0;
  uint64_t marked_objects = 0;
};

/// Beside the program, by the collector's thread: clears weak pointers to what was not marked,
/// marks what destructors may use, has destructors and cleanups wait to be run, in order. REQUIRES:
/// the marks have been flipped.
Settled settle();

/// Tells the profiler of sampled objects that have died.
void report_dead_samples();

}  // namespace burrow::gc
