// The collected heap, and the essay of this layer.
//
// What. Objects that nobody frees: `make<T>()` takes them, and a concurrent, non-moving mark-sweep
// collector gives back what no pointer reaches. Raw pointers are safe anywhere: in stacks,
// registers, globals, thread_locals, malloc'd blocks and other objects; a pointer into the middle
// of an object counts.
//
// How. Allocation:
//  1. The header pops from `burrow_gc_slots`: a run of zeroed blocks of one kind and class that is
//     the thread's own. No lock, no atomic instruction, no list: two words are compared and one is
//     stored.
//  2. `Cache::refill` takes the next run of unmarked blocks of its span, and zeroes it.
//  3. `Central` has the spans of one kind and class. A span is looked at (its marks are counted)
//     when a cache wants one, or by the collector's sweep, whichever comes first.
//  4. `heap::MHeap` gives pages. Objects over 32 KiB have a span each (large.h).
// Blocks carry no header. What a block is follows from its page's `PageEntry`.
//
// A cycle:
//  1. Dirty tracking begins (os/dirty.h) unless there is little to track: pages are protected, but
//     for those that still are since the last cycle, as nothing can be allocated there and nothing
//     was written. The world stops for a moment: stacks and registers are looked through, and the
//     barrier's flag is set.
//  2. `Team` marks beside the program: globals, malloc'd blocks, and all that is reached. Its
//     helpers are called only for what takes longer than to wake them.
//     Threads that allocate help in proportion (`assist`). Past the goal they wait for a cycle to
//     begin, far past it for its end (`hold_back`).
//  3. What was written meanwhile where no barrier is, is looked through again, beside the program,
//     until little is left. If much was allocated too, the world stops for a moment for the stacks.
//  4. The world stops: stacks, registers, globals, and what was written since are looked through
//     again, marking ends, and `flip` makes the new marks the ones that allocation goes by.
//  5. `settle` decides about weak pointers, destructors and cleanups, see below.
//  6. The sweep counts spans' marks, gives empty ones back, and clears the other mark bitmap.
//
// A stop fails when a thread can be neither signalled nor traced (os/stop.h). Nobody is kept
// stopped for that: a cycle does not begin, or goes on marking, until the world can be stopped
// (stops.h). No thread waits for the cycle meanwhile, and the heap grows.
//
// New objects are born unmarked ("white"): what dies within a cycle costs the collector nothing.
// That is sound because the last look covers every place where a pointer to a new object can be:
// stacks and registers are scanned; a store to an exact object was shaded, or its value was in a
// register from before the flag was looked at, when marking began; a store to conservative
// memory (raw objects, malloc'd blocks) made its page dirty; globals are scanned.
//
// Cleanups. `Special`s wait for objects to be unreachable. The stop takes those whose objects were
// not marked (`take_unreached`: two lists are swapped), and the collector settles them beside the
// program, which can reach none of these objects any more:
//  1. Weak pointers to them are cleared. Until the last is, `Weak::get` asks the marks.
//  2. `DueOrder` marks the objects of destructors and all that they reach, and finds the order: an
//     object comes before what it points to, directly or through objects without a destructor, and
//     cleanups come after all destructors that may use their object. Of a cycle one has to be
//     first: the youngest is, as among a function's variables. Pointers in malloc'd blocks need no
//     order: a block is a root until the destructor of its owner has freed it.
//  3. Memory of dead objects may be used again; until now allocation took new spans (`settling`).
//  4. The destructors and cleanups go to `g_due`, which one goroutine or thread empties. What waits
//     there is marked in each cycle, beside the program (`mark_due`). So what a later cycle finds
//     dead is not reached from there, and the order holds from cycle to cycle.
// The pacer counts what waits as memory, but lets the heap grow by what lives only. Small objects
// may own much: while there are any with destructors, growth of malloc's blocks brings a cycle on,
// as growth of the heap does. When one is due, threads that allocate first wait for the destructors
// of the last (`wait_for_cleanups`), as long as these get on.
//
// Roots, and what may not be read:
//  1. Globals and stacks are copied by a system call before they are looked at (`scan_copied`): the
//     program may have closed some of their pages, and a stack that is not the thread's own ends
//     nobody knows where. Many short ranges are copied by one call. A copy costs as much as the
//     look itself.
//  2. Malloc'd blocks, objects and goroutines' stacks are read as they are. Pages that the program
//     closes there are noted before they are closed (no_access.h), and copied from then on.
//  3. The end of a thread's own stack stands in its descriptor; of any other it is that of the
//     block, the object or the mapping that it lies in (thread_roots.h). A thread on its signal
//     stack, and a goroutine that parked on a coroutine's, have their calls on another besides; how
//     deep these go is not known, so what was ever written to of that stack is looked through.
//  4. A word of a stack or a register that points just behind an object keeps it: loops leave such
//     pointers, with the access at a negative distance. In memory it does not, as two objects in a
//     row would keep each other.
//  5. Memory that the program named, and, where malloc is another's, all private mappings
//     (mapped_roots.h).
//
// Invariants.
//  - Between a flip and the end of `settling` no memory is handed out that was handed out before.
//  - g_epoch's bitmap is complete: a block below no cursor and without a mark in it is free.
//  - A block handed out since the last flip lies below its span's cursor, or in a cache's run.
//  - No span is freed while a cycle marks.
//  - A thread is never stopped inside a `BusyScope`, nor while it holds a brief lock (see
//    kFirstBrief): one inside a scope may wait for it, and the stop for that one. So while the
//    world is stopped no lock of this layer and below is held, and the collector takes none above.
//
// Locks. cycle < collector < cache list < specials < central < large objects < mark pool < those of
// the heap, see LockRank. All are taken within a `BusyScope`.
//
// fork. It waits for the cycle that is underway (a last stop that keeps failing it does not wait
// for: the child drops the marks and begins anew), and for whoever holds a lock (fork.cc). The
// child has no collector's threads; they are started when it needs a cycle. It takes back what
// other threads allocated from, and has no roots on their stacks. Where the parent had threads of
// the program beside the one that forked, one of them may have been in the middle of changing any
// object, and a running destructor in the middle of what others are to destroy: the child runs no
// destructor and no cleanup from before the fork.
//
// Rejected.
//  - Go's way with cycles of objects with finalizers, which never go: in C++ every node with a
//    std::string in it has a destructor, and a list linked both ways would be a leak.
//  - Go's way with order, by which a cycle of collection finalizes only what no other finalizer
//    reaches: a list of a million such nodes would take a million collections.
//  - Destructors on the threads that allocate: they may take a lock that such a thread holds.
//  - New objects born black (Go's way): every object of a program that allocates fast while it is
//    marked would be kept and looked at.
//  - A header word an object: a 16-byte node would take 32.
//  - Free lists threaded through dead blocks: a run needs no walk, and is zeroed in one go.
//  - A copying nursery: raw pointers cannot be moved under a program.
//  - A handler of SIGSEGV that skips what cannot be read: a program's own handler takes its place
//  at
//    any time, and may not be called for faults that are not the program's.
//  - Copying malloc'd blocks too: 7.6 GB/s beside 8.9 of the look itself, so twice the time.
//  - Refusing to run under another malloc: users meet it in plugins and under sanitizers, where
//  they
//    cannot change it, and 100 MB of its blocks take 25 ms a cycle.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutex.h"

namespace burrow::gc {

/// Readies the layer; any thread, cheap when done. Ends the program when the system refuses.
void start();

/// There are, or may be, collected objects.
[[nodiscard]] bool started();

/// For fork: held while the layer starts.
[[nodiscard]] RankedMutex& start_lock();

/// When that was, on the monotonic clock.
[[nodiscard]] int64_t start_time_ns();

/// BURROW_DEBUG=gcstress=1: a cycle at every slow path.
[[nodiscard]] bool stress();

/// BURROW_DEBUG=gcverify=1: each cycle is checked by marking once more with the world stopped.
[[nodiscard]] bool verifying();

/// BURROW_DEBUG=clobberfree=1: what is freed is overwritten.
[[nodiscard]] bool clobbering();

/// What it is overwritten with.
inline constexpr unsigned char kClobber = 0xdb;

/// Ends the program as Go does: there is no memory for an object of `bytes`.
[[noreturn]] void out_of_memory(size_t bytes);

/// Ends the process at once, without destructors.
[[noreturn]] void exit_now(int status);

}  // namespace burrow::gc
