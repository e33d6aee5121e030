// The process's figures, from the heap, the profiler and /proc. See debug_server.h.
#pragma once

#include <cstddef>
#include <string>

#include "heap/stats.h"

namespace burrow::debug {

/// The heap's figures with the profiler's tables in them.
[[nodiscard]] heap::HeapStats read_figures();

/// The most memory that was ever resident, in bytes.
[[nodiscard]] size_t max_rss_bytes();

/// The program's arguments with a NUL between two, as Go writes them.
[[nodiscard]] std::string command_line();

/// The program's name as the kernel knows it: at most 15 bytes.
[[nodiscard]] std::string program_name();

/// "12.3 MiB".
[[nodiscard]] std::string readable_bytes(size_t bytes);

/// A number with up to nine decimals, without trailing zeros. REQUIRES: 0 <= value < 1e10.
[[nodiscard]] std::string readable_fraction(double value);

}  // namespace burrow::debug
