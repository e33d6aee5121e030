// The name in BURROW_PROFILE, as each process understands it. See profile_file.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace burrow::prof {

/// True when each process is to have a file of its own.
[[nodiscard]] bool names_each_process(std::string_view pattern);

/// With the process's number for each %p, and a % for %%.
[[nodiscard]] std::string name_for_process(std::string_view pattern, uint32_t process);

/// A name beside `path` for another process: "heap.12.pb.gz" for "heap.pb.gz".
[[nodiscard]] std::string name_beside(std::string_view path, uint32_t process);

}  // namespace burrow::prof
