// Specials: what is to happen when an object is unreachable. See gc.h, "Cleanups".
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "gc/marker.h"

namespace burrow::gc {

enum class SpecialKind : uint8_t {
  kDestroy,  ///< run the object's destructor; the object and what it reaches stay until then
  kCleanup,  ///< call a function with an argument of its own; the object may be gone by then
  kWeak,     ///< clear a weak pointer's target
  kSample,   ///< tell the profiler
};

/// One of them. The object's address is kept complemented, so that it is no root.
struct Special {
  Address hidden_object = 0;
  void (*function)(void*) = nullptr;  ///< kDestroy: gets the object; kCleanup: gets `argument`
  void* argument = nullptr;           ///< kWeak: the cell (std::atomic<Address>*) to be cleared
  uint64_t id = 0;                    ///< of a kCleanup
  SpecialKind kind = SpecialKind::kDestroy;

  [[nodiscard]] Address object() const { return ~hidden_object; }
};

/// Adds one; returns its id, 0 if it is no kCleanup. Ends the program when memory is out.
uint64_t add_special(SpecialKind kind, void* object, void (*function)(void*), void* argument);

/// Takes a cleanup back before its time; false when it is due, done or stopped already.
bool stop_cleanup(uint64_t id);

/// Beside the program, when most is marked: sets some of those aside whose objects are, so that the
/// stop has fewer to look at. True: call it again.
[[nodiscard]] bool note_reached();

/// After marking, with the world stopped: clears weak pointers to what is not marked, has
/// destructors and cleanups of what is not marked wait to be run, and pushes the objects whose
/// destructors are due.
void settle_specials(Marker& marker);

/// Pushes objects whose destructors are due and have not run. World stopped or not.
void push_due_objects(Marker& marker);

/// Tells the profiler of sampled objects that have died. After the world goes on.
void report_dead_samples();

/// Takes the next destructor or cleanup that is due; false when there is none. `object` becomes the
/// object of a destructor, in plain sight, so that it stays; null for a cleanup.
[[nodiscard]] bool take_due(Special& special, void*& object);

/// Specials whose objects were reachable when last looked at.
[[nodiscard]] size_t waiting_specials();

/// Specials that are due and have not run.
[[nodiscard]] size_t due_count();

}  // namespace burrow::gc
