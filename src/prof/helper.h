// The helper process that reads debug information. See symbolize.h.
#pragma once

#include <optional>
#include <string>

namespace burrow::prof {

/// Runs `burrow symbolize` with `input` on its standard input and returns what it prints; nullopt
/// when it is not there, fails, or takes over 30 s. The program's own wait() never sees it.
[[nodiscard]] std::optional<std::string> run_symbolizer(const std::string& input);

}  // namespace burrow::prof
