// Roots in mapped memory: what the program has named, and what another malloc hands out. See gc.h,
// "Roots".
//
// Where malloc is not Burrow's (a preloaded allocator, a sanitizer, Burrow in a plugin of a program
// that was there before), its blocks lie in private mappings that the kernel can list. All of those
// but Burrow's own and the threads' stacks are roots then: each cycle looks through what of them
// has pages, beside the program and once more when the world is stopped, as nobody tells what
// changed.
#pragma once

#include <cstddef>
#include <span>

#include "base/mutex.h"
#include "base/units.h"
#include "gc/roots.h"
#include "os/stop.h"

namespace burrow::gc {

/// Finds out whose malloc the program has, and reads BURROW_ROOTS. Ends the program when another's
/// blocks could not be seen. Takes the loader's lock; once.
void find_malloc();

/// Asks whether some library has begun to use the C library's own malloc. Takes its locks.
void look_for_other_malloc();

/// Memory of the program that is looked through until it is removed.
void add_user_roots(Address start, size_t bytes);
/// False when none were added with that start.
bool remove_user_roots(Address start);

/// The stacks of these threads are not looked through as mappings. REQUIRES: the world is stopped.
void note_thread_stacks(std::span<const os::StoppedThread> threads);

/// Adds all roots of this file that there are.
void add_mapped_roots(RootJobs& jobs);

/// For fork.
[[nodiscard]] RankedMutex& mapped_roots_lock();

}  // namespace burrow::gc
