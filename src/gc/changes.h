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

/// A cycle begins: if there is much that has no barrier, has the kernel watch it. Else, or when the
/// kernel cannot, all of it is looked at again.
void begin_changes(Turn& turn);

/// A cycle has ended: what is written from now on is of no interest, and takes no fault.
void end_changes(Turn& turn);

/// Adds jobs that look again, for the last time in the cycle, at what was written to since such
/// jobs ran, in any part of the arena that is in use now.
void add_changes(RootJobs& jobs);

/// The same for a look beside the program. If nothing is watched but much is there by now, it is
/// watched from now on, and the jobs look at all of it. If there is little, adds nothing: it is
/// left to the stop.
void add_changes_beside(RootJobs& jobs, Turn& turn);

/// After such a look: another one would find much less than this one.
[[nodiscard]] bool looks_again();

/// Runs one of them: calls `visit` with each part that was written to.
void for_each_change(Address from, Address to, bool last,
                     void (*visit)(void* argument, Address, Address), void* argument);

/// In the child of a fork, which is not watched.
void changes_reset_after_fork();

}  // namespace burrow::gc
