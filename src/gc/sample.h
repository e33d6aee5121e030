// Samples of the collected heap for the profiler. See gc.h, "Profiles".
#pragma once

#include <cstddef>

namespace burrow::gc {

/// True when the sampling rate is so fine that runs must be single objects.
[[nodiscard]] bool sample_every_object();

/// Charges a run's bytes; when a sample falls among them, the object is recorded with the calling
/// stack and told of when it has died. REQUIRES: the caller is not busy.
void charge_run(void* object, size_t object_size, size_t run_bytes);

}  // namespace burrow::gc
