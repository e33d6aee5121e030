// The query part of a URL. See debug_server.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace burrow::debug {

/// Replaces %XX; nullopt when a % has no two hexadecimal digits after it.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// The first value of `name` in "a=1&b=2", with + and %XX decoded; empty when there is none.
/// Parts that cannot be decoded are passed over, as in Go.
[[nodiscard]] std::string query_value(std::string_view query, std::string_view name);

/// A decimal number with an optional sign, and nothing else; as Go's strconv.ParseInt.
[[nodiscard]] std::optional<int64_t> parse_int(std::string_view text);

}  // namespace burrow::debug
