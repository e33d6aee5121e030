// The collector's part of what other headers than gc.h promise; a build without the collector has
// collected_none.cc for it. See api.h.
#pragma once

#include "burrow/memstats.h"

namespace burrow {

/// Adds the collected heap's figures.
void add_collected(MemStats& to);

/// A full collection, if there are collected objects.
void collect_if_any();

/// After a change of the memory limit.
void note_limit_change();

}  // namespace burrow
