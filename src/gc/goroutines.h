// Goroutines' stacks as roots. See gc.h.
#pragma once

#include <span>

#include "gc/roots.h"
#include "os/stop.h"

namespace burrow::gc {

/// Adds the stacks of goroutines that no thread of `stopped` runs on. While the world goes on it is
/// a first look only: what a goroutine does meanwhile is not seen.
void add_goroutines(RootJobs& jobs, std::span<const os::StoppedThread> stopped);

}  // namespace burrow::gc
