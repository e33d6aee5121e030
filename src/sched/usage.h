// What stacks take, and giving back what they do not need. See sched.h, "Stacks".
#pragma once

#include <cstddef>

namespace burrow::sched {

struct StackUsage {
  size_t reserved = 0;    ///< address space, guards included
  size_t committed = 0;   ///< bytes that have pages
  size_t live = 0;        ///< of those, on stacks whose goroutine has not ended
  size_t in_use = 0;      ///< between the stack pointer and the upper end; 0 when it is elsewhere
  size_t high_water = 0;  ///< from the deepest page there is to the upper end
};

/// Of all goroutines that do not run, and the calling one; `high_water` is the deepest one's.
/// Looks at each stack's page tables: about a microsecond a goroutine.
[[nodiscard]] StackUsage usage_of_all();

/// Of the calling goroutine; all 0 on a plain thread.
[[nodiscard]] StackUsage usage_here();

/// Gives back the pages below the stack pointers of parked goroutines, and all pages of stacks
/// without a goroutine (but for those that processors keep for the next); the bytes. Nothing in the
/// child of a fork.
size_t trim_stacks();

/// The same for those only that have not run since the last call: the collector calls it after each
/// cycle. Costs about a microsecond for each that it trims, once until that one runs again, and the
/// look at a cache line for each other. One caller at a time.
size_t trim_idle_stacks();

}  // namespace burrow::sched
