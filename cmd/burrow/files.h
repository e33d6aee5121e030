// Reading and writing whole files. See commands.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace burrow::cmd {

/// All that can be read there, at most `most` bytes and little more; nullopt when reading fails,
/// and errno says why.
[[nodiscard]] std::optional<std::string> read_all(int fd, size_t most);

/// False when writing fails; errno says why.
[[nodiscard]] bool write_all(int fd, std::string_view text);

}  // namespace burrow::cmd
