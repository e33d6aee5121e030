// Changes: memory of the arena that was written to while marking ran, where no barrier is. See
// gc.h, "A cycle".
#pragma once

#include <cstdint>

#include "base/units.h"
#include "gc/roots.h"
#include "gc/turn.h"

namespace burrow::gc {

/// Begins to watch the arena if the kernel can. Once.
void changes_init();

/// The kernel tells what is written; else all is looked at again.
[[nodiscard]] bool changes_known();

/// A cycle begins: forgets what was written so far, except in what has barriers.
void forget_changes(Turn& turn);

/// A cycle has ended: what is written from now on is of no interest, and takes no fault.
void let_changes(Turn& turn);

/// Adds jobs that look again at what was written to since such jobs last ran, in any part of the
/// arena that is in use now.
void add_changes(RootJobs& jobs);

/// Bytes that these jobs found written to since the last call.
[[nodiscard]] uint64_t take_changed_bytes();

/// Runs one of them: calls `visit` with each part that was written to.
void for_each_change(Address from, Address to, void (*visit)(void* argument, Address, Address),
                     void* argument);

/// In the child of a fork, which is not watched.
void changes_reset_after_fork();

}  // namespace burrow::gc
