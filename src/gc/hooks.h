// What the layers above have done at the start of each cycle. See gc.h.
#pragma once

namespace burrow::gc {

/// Has `hook` called in each cycle while the world is stopped, before anything is marked. It may
/// take no lock that is held outside a `BusyScope`, and must not allocate. Ends the program when
/// there are too many.
void add_cycle_hook(void (*hook)());

/// REQUIRES: the world is stopped.
void run_cycle_hooks();

}  // namespace burrow::gc
