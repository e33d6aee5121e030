// The first goroutine. See sched.h.
#pragma once

namespace burrow::sched {

/// Runs main(argument) as a goroutine and waits for it; on a goroutine simply calls it.
void run_and_wait(void (*main)(void*), void* argument);

}  // namespace burrow::sched
