// Slices, interface values, func values and pools over the collected heap: the essay of these parts
// of the layer.
//
// What. include/burrow/{slice,any,func,pool}.h. The first three are templates and need nothing here
// but a way to end the program (panic.cc) and an exception (any.cc). The pool has its slow paths
// here (pool.cc).
//
// How.
//  1. `Slice`, `Any` and `Func` keep their pointer so that it has the barrier, and have a
//     `type_map`: an object with such members is exact. An `Any`'s word may be a number: the
//     collector looks whether a word points to an object, whatever it is.
//  2. Elements of a slice that have barriers are copied one by one, never by memmove: while a cycle
//     marks, the collector vouches only for words that were in a register when it began.
//  3. A pool has a `PoolShard` for each processor: a slot of its own, used without a lock, and a
//     ring that others may take from. Get looks into the slot, the ring, the other shards' rings,
//     then among the victims; put fills the slot, then the ring.
//  4. At the start of each cycle, with the world stopped, `rotate_pools` makes what is pooled the
//     victims, and forgets those of last time. Rings are collected objects: forgetting one costs a
//     store.
//
// Invariants.
//  - A shard's `own` is touched by its processor, between the two stores to `busy`, or with the
//    world stopped and `busy` false. If it is stopped in between, the object stays for a cycle
//    more.
//  - Rings and victims are touched under the shard's lock, by threads that are in a `BusyScope`; so
//    none is held while the world is stopped.
//  - Nothing is allocated on the collected heap inside a `BusyScope`: that may wait for a cycle.
//
// Locks. The list of pools (which also guards tables and shards being made) < one shard's lock. Two
// shards' locks are never held at once.
//
// Rejected.
//  - The rings of Go's pools, without locks: the slot serves almost all calls, and a lock that is
//    free costs as much as Go's compare-exchange.
//  - An exchange instruction on the slot instead of `busy`: 20 cycles for each call, against two
//    stores.
//  - `Any` without a box for strings and other types up to 16 bytes: three words, for all.
#pragma once
