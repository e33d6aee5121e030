// The heap's end of the profiler's hooks. See hooks.h and mheap.h, "Sampling".
#pragma once

#include <cstdint>

namespace burrow::heap {

/// Rises when the sampling rate changes; caches compare it with their own.
[[nodiscard]] uint32_t sampling_epoch();

/// Bytes to the next sample, as the profiler draws it; INT64_MAX without a profiler.
[[nodiscard]] int64_t draw_sample_distance();

}  // namespace burrow::heap
