// What only assembly can do: the essay of this layer.
//
// What. The switch from one stack to another, the first frame of a stack, and the read of a
// thread-local pointer that no compiler may remember. Everything that knows registers.
//
// How.
//  1. `switch_context` pushes what the ABI lets a caller expect back (rbx, rbp, r12 to r15, mxcsr,
//     the x87 control word), stores the stack pointer, loads the other one and pops the same
//     things. The frame is `SavedFrame`, the same on every stack that does not run.
//  2. `make_context` builds such a frame on an empty stack, so that the first switch to it
//     "returns" into the entry code, which calls a C++ function that never returns.
//  3. `read_worker` reads the one thread-local variable of the scheduler. A goroutine goes
//     on on another thread after a switch; a compiler may keep a thread-local's address over a call
//     and would then read the former thread's.
//
// Invariants. A stack that does not run has a `SavedFrame` at its stored stack pointer. The CFI is
// true at every instruction, also between the two stacks, as both frames have one form: debuggers,
// profilers and exceptions see the caller of the switch. The outermost frame of a goroutine has no
// return address by its CFI: there all walks end. No allocation, no lock, no system call.
//
// Locks. None.
//
// Rejected.
//  - Loading mxcsr and the control word only when they differ, which they hardly ever do: the
//    comparison has to wait for what was just stored, 7.3 ns a switch against 5.5.
//  - A jump instead of a return at the end of the switch: 6.3 against 11 ns where each stack
//    switches in a loop of its own, but 11.8 against 7.3 where the callers return, as they do here:
//    the processor's stack of return addresses stays in step with returns only.
//  - swapcontext: a system call for the signal mask.
//  - Shadow stacks (CET): a program that is marked for them would need its shadow stack switched as
//    well; Burrow's objects are not marked, so the loader leaves them off.
#pragma once

#if defined(__x86_64__)
#include "arch/x86_64/context.h"
#include "arch/x86_64/worker_slot.h"
#else
#error "Burrow's goroutines know x86-64 only so far: see src/arch/x86_64 for what a port needs"
#endif
