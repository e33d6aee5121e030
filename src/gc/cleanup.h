// Runs destructors and cleanups of unreachable objects. See gc.h, "Cleanups".
#pragma once

namespace burrow::gc {

/// Has those that are due run, on the cleanup thread; starts it at the first call.
void wake_cleanups();

/// Waits until all that are due now have run. Not from a destructor or cleanup.
void drain_cleanups();

/// In the child of a fork: the thread is gone.
void reset_cleanups_after_fork();

}  // namespace burrow::gc
