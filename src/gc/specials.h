// Specials: what waits for objects to become unreachable. See gc.h, "Cleanups".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "base/units.h"
#include "gc/outside_list.h"
#include "gc/special.h"

namespace burrow::gc {

using SpecialList = OutsideList<Special>;

/// Adds one; returns its id, 0 if it is no kCleanup. Ends the program when memory is out.
uint64_t add_special(SpecialKind kind, void* object, void (*function)(void*), void* argument);

/// Takes a cleanup back before its time; false when it is due, done or stopped already.
bool stop_cleanup(uint64_t id);

/// Beside the program, when most is marked: sets some of those aside whose objects are, so that
/// `settle` has fewer to look at. True: call it again.
[[nodiscard]] bool note_reached();

/// Looks at all again: the marks are gone by which some were set aside.
void forget_reached();

/// Takes those that `note_reached` did not set aside; they are the caller's. Gives the number of
/// them. REQUIRES: the world is stopped, and `taken` is empty.
size_t take_unreached(SpecialList& taken);

/// They wait on: their objects were reached after all. Clears the list.
void wait_on(SpecialList& reached);

/// Removes cleanups that were stopped from the array; those that stay can be stopped no more. Gives
/// how many stay.
size_t make_due(Special* specials, size_t count);

/// Those of `take_unreached` that were not given back are gone.
void end_taken();

/// Specials whose objects were reachable when last looked at.
[[nodiscard]] size_t waiting_specials();

/// The highest serial that was given to one.
[[nodiscard]] uint64_t last_special();

/// Cells of weak pointers: where the object is, and the epoch in which the cell was made.
struct WeakCell {
  std::atomic<Address> target;
  uint32_t epoch;
};

/// What a weak pointer refers to while cells are being cleared.
[[nodiscard]] Address ask_weak_cell(const WeakCell& cell);

/// All cells of `take_unreached` are cleared that have to be.
void end_weak_turn();

/// For fork.
[[nodiscard]] RankedMutex& specials_lock();

}  // namespace burrow::gc
