// The collector's part of what other headers than gc.h promise. See api.h.
#pragma once

namespace burrow {

/// A full collection, if there are collected objects.
void collect_if_any();

/// After a change of the memory limit.
void note_limit_change();

}  // namespace burrow
