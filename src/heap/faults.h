// Faults that tests plant, to show that they would be noticed. All false outside of tests.
#pragma once

namespace burrow::heap {

struct Faults {
  bool no_marks_ahead = false;  ///< blocks that were never handed out carry no mark
};

inline constinit Faults g_faults;

}  // namespace burrow::heap
