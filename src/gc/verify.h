// The verifier: BURROW_DEBUG=gcverify=1. See gc.h.
#pragma once

#include "gc/outside_list.h"
#include "gc/roots.h"
#include "gc/special.h"

namespace burrow::gc {

/// Marks once more, by simpler means and into a bitmap of its own, and ends the program when it
/// reaches an object that marking missed: the message names the object, its class and kind, and
/// the way to it. REQUIRES: the world is stopped, marking is done and the flip is not; `roots` are
/// all roots, none taken.
void verify_marks(const RootJobs& roots);

/// The same after the flip, beside the program: the objects of destructors among these, which the
/// program cannot reach, and what they reach have to be marked.
void verify_kept(const OutsideList<Special>& due);

}  // namespace burrow::gc
