// The scheduler: goroutines, what runs them, and what wakes them. The essay of this layer.
//
// What. Goroutines in the manner of Go: `go` makes one, workers (threads) run them on processors.
//
// How. park.h is what the layers above build on, with waiter.h for plain threads and timer.h.
//
// Invariants. A goroutine is in one place: running on one worker, in one run queue, or parked.
//
// Locks. To come with the code.
//
// Rejected. Stackless coroutines: a function that waits would have to be written as one.
#pragma once

#include "sched/park.h"
#include "sched/timer.h"
#include "sched/waiter.h"
