// How a program ends: panics, overflows, deadlocks, the quit signal. See sched.h, How 7.
#pragma once

#include <cstdint>
#include <string_view>

namespace burrow::sched {

/// Takes the right to print the end of the program; does not return for a second thread.
void begin_dying();

/// The end: exit code 2, as Go's. Runs no destructors, as other threads go on meanwhile.
[[noreturn]] void finish_dying();

/// Prints overflows of stacks when they happen, and all stacks at the quit signal. Once.
void catch_overflow();

/// What the signal handlers have asked the monitor thread to do, done there: where memory may be
/// allocated and locks be taken. Returns when nothing was asked for.
void do_requests();

/// Every goroutine waits and nothing can wake one.
[[noreturn]] void die_of_deadlock();

/// Makes uncaught exceptions panics. For a file that is compiled with exceptions: see
/// uncaught.cc.
void catch_exceptions();

}  // namespace burrow::sched
