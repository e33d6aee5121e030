// Waiting for file descriptors. See sched.h, How 6.
#pragma once

#include <cstdint>

#include "os/poll.h"
#include "sched/goroutine.h"
#include "sched/timer.h"

namespace burrow::sched {

/// Waits until `fd` is ready for what is wanted (one of both), or the time is there (kNever:
/// none). False: it was the time. An error of the descriptor counts as ready: the operation that
/// follows will tell. Regular files are always ready. May be early: somebody else may have been
/// faster at the descriptor.
[[nodiscard]] bool wait_fd(int fd, os::PollEvents wanted, int64_t deadline_ns);

/// Goroutines that wait in wait_fd.
[[nodiscard]] int poll_waiters();

/// Waits for events up to `timeout_ns` (negative: for ever) and gives the goroutines they are for,
/// made runnable. By one thread at a time: see Scheduler::last_poll_ns.
[[nodiscard]] GoroutineList poll_events(int64_t timeout_ns);

/// Ends the wait of poll_events that runs.
void interrupt_poller();

/// Opens the poller. Once, before all else.
void start_poller();

}  // namespace burrow::sched
