// Faults that tests plant, to show that they would be noticed. All false outside of tests.
#pragma once

namespace burrow::heap {

struct Faults {
  bool no_marks_ahead = false;    ///< blocks that were never handed out carry no mark
  bool runs_stay_live = false;    ///< a kept run looks like a live block to `free`
  bool no_early_release = false;  ///< without a thread for it, idle memory waits for slow paths
  bool no_regret = false;         ///< memory that goes back and forth goes back each time
  bool no_passing_looks = false;  ///< slow paths that free no span do not look for idle memory
  bool depot_keeps = false;       ///< the depot of a class that shrinks stays as it is
  bool blank_entries = false;     ///< pages that went back look to `free` as others do
  bool no_blank_pages = false;    ///< half-used spans keep all of their pages
};

inline constinit Faults g_faults;

}  // namespace burrow::heap
