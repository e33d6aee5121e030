// /debug/pprof/symbol: names for addresses. See debug_server.h.
#pragma once

#include <string>
#include <string_view>

namespace burrow::debug {

/// Answers "0x1234+0x5678": "num_symbols: 1" and a line "0x1234 name" for each address with a name.
[[nodiscard]] std::string symbol_answer(std::string_view question);

}  // namespace burrow::debug
