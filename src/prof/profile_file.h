// The heap profile in a file. See prof.h.
#pragma once

#include <string>

namespace burrow::prof {

/// Takes the heap profile and writes it to `path`, as pprof's protobuf. False when the file cannot
/// be written; errno says why.
[[nodiscard]] bool write_heap_profile_file(const char* path);

/// What came of `write_profile_unless_taken`.
struct WrittenProfile {
  bool written = false;  ///< false: errno says why
  std::string path;
  bool taken = false;  ///< `path` is another than the one asked for, where another's profile is
};

/// As write_heap_profile_file, where several processes may have the same path: the first one with
/// samples keeps it, others write beside it. One without samples writes only where nothing is.
[[nodiscard]] WrittenProfile write_profile_unless_taken(const std::string& path);

}  // namespace burrow::prof
