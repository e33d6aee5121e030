// Faults that tests plant, to show that they would be noticed. All false outside of tests.
#pragma once

namespace burrow::gc {

struct Faults {
  bool no_barrier = false;           ///< stores to pointer fields are not shaded
  bool no_goroutine_rescan = false;  ///< parked stacks are looked at once only
  bool no_stack_rescan = false;      ///< stacks are not looked at again when marking ends
  bool no_dirty_rescan = false;      ///< changed memory is not looked at again
  bool no_hold_back = false;         ///< who allocates past the goal does not wait for the cycle
  bool no_access_notes = false;      ///< nobody notes what memory of the arena may not be read
  bool own_stack_only = false;       ///< of a thread that is on another stack, its own is passed by
  bool no_ends = false;              ///< a pointer just behind an object does not keep it
  bool no_results = false;           ///< what a thread returned is passed by until it is joined
  bool no_foreign_roots = false;     ///< what another malloc hands out is no root
  bool stop_with_locks = false;      ///< threads are stopped while they hold brief locks
  bool no_due_order = false;         ///< destructors run in the order in which objects were made
  bool no_settle_gate = false;       ///< memory is reused before what is due is marked
  bool stale_weak = false;           ///< a weak pointer is asked as if none were being cleared
  bool no_owned_growth = false;      ///< malloc's blocks do not bring a cycle on
  bool no_cleanup_wait = false;      ///< who allocates does not wait for destructors
  bool inherited_marks = false;      ///< a child goes by the marks of a cycle that it cannot end
  bool inherited_destructors = false;  ///< a child runs destructors of what lost threads changed
};

inline constinit Faults g_faults;

}  // namespace burrow::gc
