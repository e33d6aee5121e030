// The helper process that reads debug information. See symbolize.h.
#pragma once

#include <string>

namespace burrow::prof {

/// Runs `burrow symbolize` with `input` on its standard input and returns what it prints: all of
/// it, or what came until it failed or 30 s were over; nothing when it is not there. The program's
/// own wait() never sees it.
[[nodiscard]] std::string run_symbolizer(const std::string& input);

}  // namespace burrow::prof
