// Runs destructors and cleanups of unreachable objects. See gc.h, "A cycle", 4.
#pragma once

namespace burrow::gc {

/// Has those that are due run: on a goroutine of their own once the program has goroutines, and
/// else on a thread of their own; one at a time.
void wake_cleanups();

/// Waits until all that are due now have run. Not from a destructor or cleanup.
void drain_cleanups();

/// In the child of a fork: whoever ran them is gone.
void reset_cleanups_after_fork();

}  // namespace burrow::gc
