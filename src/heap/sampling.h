// The heap's end of the profiler's hooks. See hooks.h and mheap.h, "Sampling".
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::heap {

/// Rises when the sampling rate changes; caches compare it with their own. Relaxed: a thread that
/// notices late samples a little longer at the old rate.
BURROW_HIDDEN extern constinit std::atomic<uint32_t> g_sampling_epoch;

inline uint32_t sampling_epoch() {
  return g_sampling_epoch.load(std::memory_order_relaxed);
}

/// Bytes to the next sample, as the profiler draws it; INT64_MAX without a profiler.
[[nodiscard]] int64_t draw_sample_distance();

}  // namespace burrow::heap
