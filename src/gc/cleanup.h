// Runs destructors and cleanups of unreachable objects. See gc.h, "A cycle", 4.
#pragma once

#include <atomic>
#include <cstdint>

namespace burrow::gc {

/// Has those that are due run: on a goroutine of their own once the program has goroutines, and
/// else on a thread of their own; one at a time. REQUIRES: the caller holds no lock.
void wake_cleanups();

/// Waits until all that are due now have run. Not from a destructor or cleanup.
void drain_cleanups();

/// Called by a thread that allocates, before it asks for the next cycle: waits for those that are
/// due since cycle number `cycle` or before, so that they do not pile up. For a second at most, and
/// only while they get on: the thread may hold what one of them waits for.
void wait_for_cleanups(uint32_t cycle);

/// Some are being run, or are about to be.
[[nodiscard]] bool cleanups_run();

/// In the child of a fork: the thread or goroutine that ran them is gone. With `beside_others` the
/// parent had threads of the program that are gone as well: see gc.h, "fork".
void reset_cleanups_after_fork(bool beside_others);

/// That thread looks so often whether they get on. Long enough that the runner gets a processor on
/// a loaded machine too. Tests change it. Relaxed: it steers.
inline constinit std::atomic<int64_t> g_cleanup_look_ns{60'000'000};

/// Threads that wait so now, for tests. Relaxed: it guards nothing.
inline constinit std::atomic<int> g_cleanup_waiters{0};

}  // namespace burrow::gc
