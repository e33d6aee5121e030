// What every layer stands on, and the essay of this layer.
//
// What. Unit types, checks, a message builder, a mutex and its annotations: small things that work
// inside an allocator, where nothing may allocate, throw, or wait for libc to be ready.
//
// How.
//  - units.h: `Address`, `PageId`, `PageCount`, `SizeClass`: numbers that cannot be mixed up.
//  - check.h: `CHECK` (always), `DCHECK` (debug builds) and `fatal`, which prints one line in one
//    write and aborts.
//  - printer.h: `Printer` builds text in a caller's buffer; `FixedPrinter` brings the buffer.
//  - mutex.h over futex.h: `RankedMutex`, of 8 bytes, with a `LockRank`.
//  - annotations.h: clang's thread-safety attributes, hints for the fast paths, visibility.
//  - bits.h: rounding and logarithms of powers of two.
//  - errno_scope.h: `ErrnoScope`.
//
// Invariants. Nothing here allocates, throws, changes errno, or needs a constructor to have run.
// Nothing here includes another layer.
//
// Locks. Every lock of Burrow is a `RankedMutex`, and its `LockRank` is its place in the one order:
// a thread that holds a lock takes only locks of a higher rank. Debug builds check that at each
// lock(); clang checks at compile time that fields marked BURROW_GUARDED_BY are used under theirs.
// fork is the exception: it takes the locks that `over_fork` names, by `lock_for_fork`, still from
// the lowest rank up (os/fork.h). In the child a lock that another thread held is known by the
// `g_fork_count` in its word: it is taken as free, or, if fork should have waited for it, ends the
// program with a line.
//
// Rejected.
//  - std::mutex: 40 bytes, no rank, no annotations, and pthread's may be interposed by tools that
//    allocate in the hook.
//  - Spin locks: on a loaded machine the holder may not run for milliseconds.
//  - snprintf for messages: it may allocate (wide formats, long doubles) and takes locale locks.
#pragma once

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/errno_scope.h"
#include "base/futex.h"
#include "base/mutex.h"
#include "base/printer.h"
#include "base/units.h"
