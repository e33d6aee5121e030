// Faults that tests plant, to show that they would be noticed. All false outside of tests.
#pragma once

namespace burrow::gc {

struct Faults {
  bool no_barrier = false;           ///< stores to pointer fields are not shaded
  bool no_goroutine_rescan = false;  ///< parked stacks are looked at once only
  bool no_stack_rescan = false;      ///< stacks are not looked at again when marking ends
  bool no_dirty_rescan = false;      ///< changed memory is not looked at again
  bool no_hold_back = false;         ///< who allocates past the goal does not wait for the cycle
  bool stop_with_locks = false;      ///< threads are stopped while they hold brief locks
};

inline constinit Faults g_faults;

}  // namespace burrow::gc
