// What keeps the calling thread from being stopped for a moment. See gc.h, "Invariants".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow {

/// Plain stores, read and written by the thread's own signal handler too; fences order them.
struct Hold {
  uint32_t depth = 0;       ///< scopes and brief locks that the thread is in
  uint32_t long_locks = 0;  ///< locks that are not brief, held or waited for
  bool wanted = false;      ///< a stop came meanwhile: owed when `depth` is 0 again
};

extern constinit thread_local Hold t_hold;

/// Stops the calling thread if somebody still waits for that. Set by os/stop.h before the first
/// stop. Release there, acquire in end_hold_slow.
extern constinit std::atomic<void (*)()> g_stop_if_wanted;

void end_hold_slow();

/// From here to `end_hold` the thread is not stopped. May nest.
inline void begin_hold() {
  ++t_hold.depth;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// The thread stops here when somebody wanted that meanwhile: one that leaves such scopes only to
/// enter the next would seldom be met between them.
inline void end_hold() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  --t_hold.depth;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (BURROW_UNLIKELY(t_hold.wanted) && t_hold.depth == 0) {
    end_hold_slow();
  }
}

}  // namespace burrow
