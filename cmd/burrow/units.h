// Figures with units, as pprof prints them. See commands.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace burrow::cmd {

/// `value` in another unit, or in the one that suits it when `to` is "auto": "1.50MB". Units are
/// those of memory and of time; anything else is a plain count.
[[nodiscard]] std::string scaled_label(int64_t value, std::string_view from, std::string_view to);

/// One unit for a table whose figures lie between `least` (not 0) and `most`.
[[nodiscard]] std::string table_unit(int64_t least, int64_t most, std::string_view from);

/// Six wide: "12.34%", "  100%".
[[nodiscard]] std::string percentage(int64_t value, int64_t total);

/// True when figures in `from` can be shown in `to`.
[[nodiscard]] bool is_unit_of(std::string_view to, std::string_view from);

}  // namespace burrow::cmd
