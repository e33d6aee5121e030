// Channels, select, and what waits without channels. The essay of this layer.
//
// What. Go's `chan`, `select`, sync and timers behind include/burrow/{chan,select,sync,timer}.h.
// The public headers hold thin templates; here everything is without types: an element is `size`
// bytes with two functions (`ElementType`). What this layer asks of the scheduler is small: a
// `Waiter` that waits and is woken (a goroutine parks, a plain thread sleeps), and a `Timer`.
//
// How.
//  1. `ChanCore` is one allocation: a lock, a ring of slots, a queue of those that wait to send and
//     one of those that wait to receive. Who waits puts a `WaitNode` from its own stack into a
//     queue; no operation allocates.
//  2. Send, in order (`start_send`): closed: panic. A receiver waits: take it out, unlock, move the
//     value straight into its slot (stack to stack), wake it. Room in the ring: move it there. Else
//     enqueue and wait; the lock is given back by the commit, once the goroutine has left its
//     stack. `start_recv` is the mirror; from a full ring it takes the oldest and lets the first
//     waiting sender's value take the place.
//  3. close takes all nodes out under the lock and wakes them without it, `passed` false.
//  4. Select (`select_cases`) orders its cases twice: shuffled, to look for a ready one fairly, and
//  by
//     the channels' addresses, to lock. All locks are taken, each channel's once; the first ready
//     case in shuffled order is carried out by the functions of 2. When none is ready, a node goes
//     into each queue and the commit starts the timer, if any, then unlocks. Whoever takes a
//     select's node out of a queue claims the select by a compare-exchange of `winner`; only the
//     first claim may serve it, the others drop the node. The woken selector locks all again and
//     takes its other nodes out.
//  5. Sync: `Mutex` is Go's: normal mode (barging, one woken at a time) and starvation mode
//  (hand-over
//     after 1 ms); the fast paths are inline in sync.h. It, RWMutex and WaitGroup wait on a
//     `Semaphore` inside the object: a count and a queue. `Cond` waits on a list of tickets, taken
//     before the mutex is given back.
//  6. Timers: `TimerCore` sends the time into a channel with room for one, or starts a goroutine.
//     Stopping waits for a callback under way, then takes back what nobody has received: after stop
//     or reset no old time comes.
//
// No wake-up is lost. A wait is: lock, find nothing, enqueue, commit (unlock), sleep. A waker needs
// the same lock to find the node, so it comes either before the look, and then there is something
// to find, or after the enqueueing, and then it finds the node. A wake between unlock and sleep is
// kept: a goroutine has left its stack before the commit unlocks, so it is parked as far as `ready`
// is concerned; a thread's word remembers it. For a select: its nodes are enqueued in all queues
// under all locks, so the same holds for each channel. A claim that loses has changed nothing but
// to drop a node that could not be served, and goes on to the next in the queue: no value is given
// to a select that another has served. A claim that wins wakes: exactly one wake answers each wait.
// The timer's callback is one more claimer.
//
// Invariants.
//  - A receiver waits only while the ring is empty, a sender only while it is full.
//  - A node is in at most one queue. In a queue it is guarded by the channel's lock; once taken out
//  (and
//    claimed) it is the waker's until the wake, and the owner's again after it.
//  - `passed` and the element are written before the wake; the wake orders them.
//  - The last access of an operation to its channel, semaphore or list is the store that unlocks
//    (or, for who was woken, none): so an object may be destroyed by whoever the operation let go
//    on.
//  - Handlers of select, destructors of elements that were received, and wakes run without any
//  lock.
//
// Locks. `QueueLock`, one in each channel, semaphore and list. Several are held only by select, in
// the order of addresses; while one is held only the scheduler's locks are taken (the timer's, in
// the commit), and moves of elements into or out of the ring run. It is not a `RankedMutex`: those
// belong to a thread and may not be held twice at one rank. `TimerCore` has a `Mutex` of this
// layer, taken before all of these.
//
// Rejected.
//  - Moving values under the lock from stack to stack, as Go does: a move is the user's code here.
//  The
//    ring still moves under the lock: slots in two states (reserved, filled) would cost a second
//    lock and unlock for each item; so T's move must not wait. That it cannot throw is asserted.
//  - A templated core in the header: every change here would break users' binaries; the indirect
//    call is taken only by types that are not trivially copyable.
//  - Exceptions for a send on a closed channel: it is a race in the program, not a condition to
//  handle.
//  - A table of semaphores by address, as Go has it to keep its mutex in 8 bytes: 32 bytes, and
//  nothing
//    shared between mutexes.
//  - Retrying select without nodes (polling with back-off): no upper bound on latency or on waste.
#pragma once

#include "lang/chan.h"
#include "lang/queue_lock.h"
#include "lang/random.h"
#include "lang/wait_queue.h"
