// Go's legacy text form of the heap profile. See prof.h.
#pragma once

#include <string>

#include "prof/profile.h"

namespace burrow::prof {

/// "heap profile: n: b [n: b] @ heap/RATE2", then for each site "n: b [n: b] @ addresses" and a
/// comment line a frame. Figures are sampled ones, as in Go.
[[nodiscard]] std::string write_heap_text(const HeapProfile& profile);

}  // namespace burrow::prof
