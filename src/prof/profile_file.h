// The heap profile in a file. See prof.h.
#pragma once

namespace burrow::prof {

/// Takes the heap profile and writes it to `path`, as pprof's protobuf. False when the file cannot
/// be written; errno says why.
[[nodiscard]] bool write_heap_profile_file(const char* path);

}  // namespace burrow::prof
