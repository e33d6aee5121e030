// The verifier: BURROW_DEBUG=gcverify=1. See gc.h.
#pragma once

#include "gc/roots.h"

namespace burrow::gc {

/// Marks once more, by simpler means and into a bitmap of its own, and ends the program when it
/// reaches an object that marking missed: the message names the object, its class and kind, and
/// the way to it. REQUIRES: the world is stopped, marking is done and the flip is not; `roots` are
/// all roots, none taken.
void verify_marks(const RootJobs& roots);

}  // namespace burrow::gc
