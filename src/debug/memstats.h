// Go's runtime.MemStats, as JSON and as comments. See debug_server.h.
#pragma once

#include <string>

#include "debug/figures.h"

namespace burrow::debug {

/// One JSON object with the names and order of Go's struct, as expvar's "memstats" prints it.
/// BySize has a line for each of Burrow's size classes.
[[nodiscard]] std::string memstats_json(const heap::HeapStats& stats);

/// The "# Alloc = ..." lines at the end of the legacy heap profile.
[[nodiscard]] std::string memstats_comments(const heap::HeapStats& stats);

}  // namespace burrow::debug
