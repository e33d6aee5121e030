// Go's legacy text form of the heap profile. See prof.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "prof/profile.h"
#include "prof/symbolize.h"

namespace burrow::prof {

/// "heap profile: n: b [n: b] @ heap/RATE2", then for each site "n: b [n: b] @ addresses" and a
/// comment line a frame. Figures are sampled ones, as in Go.
[[nodiscard]] std::string write_heap_text(const HeapProfile& profile);

/// The part of a site's text behind its counts: " @ addresses", a comment line a frame, an empty
/// line.
void append_stack(std::string& out, std::span<const uintptr_t> stack, const Symbols& symbols);

}  // namespace burrow::prof
