// Making goroutines. See sched.h, How 4.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sched/goroutine.h"

namespace burrow::sched {

/// A goroutine that does not run yet, and room for what it takes along, at the end of its stack.
struct NewGoroutine {
  Goroutine* goroutine = nullptr;
  void* closure = nullptr;
};

/// Starts the scheduler if need be. Any thread. Ends the program when there is no stack left.
[[nodiscard]] NewGoroutine new_goroutine(size_t closure_bytes, size_t closure_align);

/// Takes one back that was not started.
void abandon_goroutine(Goroutine* g);

/// Lets it run invoke(its closure), which destroys the closure. `creator_pc`: for messages.
void start_goroutine(Goroutine* g, void (*invoke)(void*), uintptr_t creator_pc);

/// Goroutines that have begun and not ended.
[[nodiscard]] size_t count_goroutines();

}  // namespace burrow::sched
