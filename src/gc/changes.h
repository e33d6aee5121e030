// Changes: memory of the arena that was written to while marking ran, where no barrier is. See
// gc.h, "A cycle".
#pragma once

#include <cstdint>

#include "base/units.h"
#include "gc/roots.h"
#include "gc/turn.h"

namespace burrow::gc {

/// Readies the layer. Once.
void changes_init();

/// What is written is known in this cycle. Else all is looked at again: the kernel cannot tell, or
/// there is so little of it that looking costs less than the faults do.
[[nodiscard]] bool changes_known();

/// A cycle begins: if there is much that has no barrier, forgets what was written to it so far.
void begin_changes(Turn& turn);

/// A cycle has ended: what is written from now on is of no interest, and takes no fault.
void end_changes(Turn& turn);

/// Adds jobs that look again at what was written to since such jobs last ran, in any part of the
/// arena that is in use now.
void add_changes(RootJobs& jobs);

/// The same for a look beside the program. If nothing is known but much is there by now, from now
/// on it is watched; true then: the jobs look at all of it, and there will be more to look at. If
/// there is little, adds nothing: it is left to the stop.
[[nodiscard]] bool add_changes_beside(RootJobs& jobs, Turn& turn);

/// Bytes that these jobs found written to since the last call.
[[nodiscard]] uint64_t take_changed_bytes();

/// Runs one of them: calls `visit` with each part that was written to.
void for_each_change(Address from, Address to, void (*visit)(void* argument, Address, Address),
                     void* argument);

/// In the child of a fork, which is not watched.
void changes_reset_after_fork();

}  // namespace burrow::gc
