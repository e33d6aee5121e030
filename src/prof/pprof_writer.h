// Profiles as pprof's gzip'd protobuf. See prof.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prof/profile.h"

namespace burrow::prof {

/// Go has two names for one heap profile: they differ in what a reader shows first.
enum class ProfileKind : uint8_t {
  kHeap,    ///< readers choose, inuse_space by custom
  kAllocs,  ///< default_sample_type is alloc_space
};

/// The profile as Go writes it, with functions and lines.
[[nodiscard]] std::string write_heap_pprof(const HeapProfile& profile, ProfileKind kind);

/// A stack with a count, for profiles such as threadcreate.
struct CountRecord {
  std::vector<uintptr_t> stack;
  int64_t count = 0;
};

/// A profile with the one sample type NAME/count.
[[nodiscard]] std::string write_count_pprof(std::string_view name,
                                            const std::vector<CountRecord>& records);

/// Whether a profile, unpacked, has samples; true when it cannot be read.
[[nodiscard]] bool pprof_has_samples(std::string_view message);

/// Frames that readers should leave out: the allocation functions themselves.
[[nodiscard]] std::string_view drop_frames();

}  // namespace burrow::prof
