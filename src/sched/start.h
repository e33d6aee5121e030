// The start of the scheduler, and how many processors it has. See sched.h.
#pragma once

namespace burrow::sched {

/// Called once, when the scheduler starts. For what layers above have to add.
void set_start_hook(void (*hook)());

/// True once the scheduler has started, and not in the child of a fork.
[[nodiscard]] bool runs_goroutines();

/// Go's GOMAXPROCS: sets how many goroutines run at one time and returns the former number; 0 or
/// less: only returns it. Lowering counts for each processor when its goroutine next waits or
/// yields.
int set_processors(int count);

/// Around a call of `run`: only meanwhile is a standstill of all a deadlock.
void begin_run();
void end_run();

}  // namespace burrow::sched
