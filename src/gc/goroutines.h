// Goroutines' stacks as roots. See gc.h.
//
// All of them are looked through again at the end of a cycle, those that did not run as well:
// whoever has a pointer to a variable of a parked goroutine may have stored into it.
#pragma once

#include <cstddef>
#include <span>

#include "base/units.h"
#include "os/stop.h"

namespace burrow::gc {

class RootJobs;

/// Adds the stacks of all goroutines. While the world goes on it is a first look only: what a
/// goroutine does meanwhile is not seen.
void add_goroutines(RootJobs& jobs);

/// Calls `visit(argument, start, end)` with each goroutine's part of its stack, of those in slots
/// [first, last). Those that `note_running` was told of are left to their threads. One that parked
/// on a stack that the program made has two parts: what was ever written to of its own, and that
/// stack, of which some may not be readable.
void for_each_goroutine_range(size_t first, size_t last,
                              void (*visit)(void* argument, Address, Address), void* argument);

/// Goroutines whose stacks belong to these threads. REQUIRES: the world is stopped.
void note_running(std::span<const os::StoppedThread> stopped);
/// Before the world goes on.
void forget_running();

/// StopCallbacks::stacks.
void note_stacks(os::StoppedThread& thread);

}  // namespace burrow::gc
