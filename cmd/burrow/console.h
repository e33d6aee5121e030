// What the command says. See commands.h.
#pragma once

#include <string>
#include <string_view>

namespace burrow::cmd {

/// Exit codes of the command itself.
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// One line on standard error, with "burrow: " before it. Returns `code`, for a return statement.
int complain(int code, std::string_view text);

/// The text of an errno.
[[nodiscard]] std::string error_text(int error);

}  // namespace burrow::cmd
