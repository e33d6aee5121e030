// The scheduler: goroutines, what runs them, and what wakes them. The essay of this layer.
//
// What. Go's scheduler for C++. A `Goroutine` is a function on a stack of its own; a `Worker` is a
// thread; a `Processor` is the right to run goroutines, with a run queue, an MCache of the heap and
// timers. There are as many processors as goroutines may run at once, and as many workers as are
// needed to have one on each (those inside `blocking` have none). park.h, waiter.h and timer.h are
// what channels and the like are made of.
//
// How.
//  1. Switching (switch.cc, src/arch). A goroutine that parks, yields or ends takes the next one of
//     its processor and switches to it directly (`leave`). What is to be done for the one that was
//     left, such as unlocking the queue that it put itself into (its `ParkCommit`), is done by the
//     other after the switch: only then may a third take it up. Only when the processor has nothing
//     at hand, and every `kFairTick`-th time, does the switch go to the worker's own stack, which
//     looks further (`find_runnable`).
//  2. Queues (queues.cc, run_queue.h). Each processor has a ring of 256 that others steal half of,
//     and before it a next slot, where `ready` puts what it wakes: messages go back and forth on
//     one processor without anything else in between. What does not fit, and what plain threads
//     make runnable, goes to the global queue. Every `kFairTick`-th choice leaves the next slot out
//     and begins with the global queue or with the ring, in turn, so that neither two goroutines
//     that wake each other nor a full ring keep others waiting for ever. A processor that never had
//     company takes from its queue by plain loads and stores (solitude.h): a read-modify-write is a
//     third of a yield. A second processor is made only when the first is not in between the two.
//  3. Idling and waking (find.cc, wake.cc). A worker that finds nothing anywhere looks some 20
//     microseconds more (it is then spinning; at most half as many as there are busy processors
//     do), gives its processor up, looks once more, and sleeps: in the poller until the first timer
//     of all is due, if nobody else does, or else on a futex. Whoever makes work wakes one worker
//     when there is an idle processor and nobody spins; a worker that stops spinning because it
//     has found something wakes the next if there is more. Work in a next slot is left to its own
//     processor for some microseconds; as waking others for it is mostly in vain, the more often
//     it was the less often it is done (`wake_for_next`), and the monitor sees to the exceptions.
//  4. Goroutines (spawn.cc, stack.h). They lie at the upper end of their stacks, and keep them when
//     they end, for the next: a processor keeps up to 64 of them.
//  5. Blocking and the monitor (blocking.cc, monitor.cc). A worker in `blocking` lends its
//     processor: whoever needs one takes it by a compare-and-swap of its state, and the monitor
//     does when a round of it has passed. The monitor is a thread without a processor; it looks
//     every 20 microseconds to 10 ms while anything runs, polls when no worker has for 10 ms, wakes
//     workers for timers that are overdue and for work that lies at a busy processor while another
//     is idle, and does what signal handlers may not.
//  6. Descriptors and timers (poller.cc, timer_heap.cc). A wait for a descriptor arms it in an
//     epoll set for one event. Timers are in a heap at the processor that started them; its owner
//     runs what is due between goroutines, and anybody else who looks for work does too.
//  7. The end (panic.cc, traceback.cc, uncaught.cc). Panics, overflows, deadlocks and the quit
//     signal print stacks; walking and naming come from above (`TraceHooks`). Whoever looks at a
//     goroutine's stack from outside reads `Goroutine::runs` before and after.
//
// Stacks. See stack.h. A slot's size depends on BURROW_STACK and on limits that do not change,
// never on how many goroutines there are: a program that overflows only under load is worse than
// one that takes more page tables. A processor's free stacks keep their pages. `trim_stacks` gives
// back what lies below the stack pointer of a parked goroutine, which it changes from kWaiting to
// kHeld meanwhile: a `ready` that comes then leaves the queueing to it. The collector does so after
// each cycle (`trim_idle_stacks`), for those that have been parked since the one before.
//
// No wake-up is lost. The danger: somebody makes work (W: writes it to a queue or a heap of timers)
// and, seeing nobody idle or somebody spinning (R), wakes nobody; and the worker that it relied on
// goes to sleep without having seen the work. A worker goes to sleep so: it gives its processor to
// the idle ones (which `idle_count` tells), stops counting as spinning (`spinning`), and then looks
// at all queues, the global count and all heaps of timers once more (L). W before R and the counts
// before L are each in one order for all threads: all these accesses are seq_cst, or have a seq_cst
// fence or read-modify-write in between. So either R comes after the worker's counts, and sees an
// idle processor and, if that was the last one spinning, nobody spinning, and wakes; or L comes
// after W and finds the work. A worker that goes to sleep without having been spinning looks too:
// the one who spun (`may_spin`) may have found something and looked for more before W, and R may
// have come before this one's processor was idle. Whoever wakes counts as spinning before it has a
// processor for that; if there is none, it stops under the lock under which processors become idle:
// what became idle before is seen, and who makes work afterwards is not misled. A worker
// that finds something and so stops spinning looks for more afterwards in the same order. Timers:
// whoever waits in the poller has said till when (`poll_until_ns`) after having said that it will
// (`last_poll_ns` is 0); whoever starts an earlier one interrupts it, also when it has not said the
// time yet. While there is one processor only, its owner neither looks for idle ones nor has W in
// order: whoever makes a second one waits for the owner to be done (`Solitude::end`), and looks for
// work when the second is idle. `SchedTestPeer::skip_recheck` leaves L out, `only_spinners_look`
// for some: wakeup_test.cc sees that it is needed.
//
// Invariants. A goroutine is in one place: running on one worker, in one queue, in a list of free
// ones, or parked with whoever will wake it (`GoroutineState` says who owns it). One worker owns a
// processor (`ProcessorState`). No allocation and no lock in a switch. Nothing here allocates from
// the heap, except for text of stacks when the program ends.
//
// Locks. kSchedPoll (a bucket of waits), kSchedTimers (a heap of timers), kSched (everything under
// `Scheduler::lock`), kSchedStacks, taken in that order. Callbacks of timers run under none;
// commits run under what the parking goroutine holds.
//
// fork. The child has the calling thread only, perhaps on a goroutine's stack, where it may call
// exec as any child of a program with threads may. It ends with a message (`refuse_in_child`) when
// it starts a goroutine, or when the one that forked waits, yields or ends: the other workers, and
// what they held, are gone, and the parent's other goroutines must not go on twice.
//
// Threads. errno and the C++ runtime's exceptions in flight are saved and restored with the
// goroutine (`leave`); other thread-locals belong to the thread. The scheduler's own one,
// `burrow_worker`, is read by src/arch in a way that no compiler remembers.
//
// Rejected.
//  - A switch always through the worker's stack, as Go does: twice the work.
//  - Edge-triggered registration once a descriptor, without a system call a wait: nothing tells us
//    that a number was closed and is another file now, so that a wait would never end; and a
//    reader that does not read to the end would wait for data that is there.
//  - epoll_pwait2 for timeouts in nanoseconds: older kernels and seccomp filters do not know it.
//  - A signal to goroutines that compute too long (Go's preemption): C++ code is interrupted
//    anywhere, in malloc and under locks, and must not migrate there.
//  - Populating pages ahead of a deep recursion (MADV_POPULATE_WRITE): measured at 1.02 against
//    1.17 microseconds a page in faults, most of it the kernel's clearing of the page.
//  - Stackless coroutines: a function that waits would have to be written as one.
#pragma once

#include "sched/park.h"
#include "sched/timer.h"
#include "sched/waiter.h"
