// Stacks of goroutines with names, and as a profile. See api.h.
#pragma once

#include <string>
#include <vector>

#include "prof/pprof_writer.h"

namespace burrow::api {

/// The goroutines there are, counted by stack: what /debug/pprof/goroutine shows.
[[nodiscard]] std::vector<prof::CountRecord> goroutine_records();

/// Every goroutine's state and stack as Go prints them: what ?debug=2 shows.
[[nodiscard]] std::string goroutines_text();

}  // namespace burrow::api
