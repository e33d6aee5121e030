// The table of profiles under /debug/pprof/. See debug_server.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "debug/request.h"
#include "prof/pprof_writer.h"
#include "prof/profile.h"

namespace burrow::debug {

/// A profile at one moment: one of the two, as its kind has it.
struct Snapshot {
  prof::HeapProfile heap;
  std::vector<prof::CountRecord> counts;
};

/// One profile. Instances live for ever.
struct Profile {
  std::string_view name;         ///< as in the URL
  std::string_view description;  ///< one line for the index
  Snapshot (*take)();
  /// Number of records, for the index.
  size_t (*size)(const Snapshot& snapshot);
  /// pprof's gzip'd protobuf.
  std::string (*write_pprof)(const Profile& self, const Snapshot& snapshot);
  /// The text for `debug` > 0; null when `text_source` has it.
  std::string (*write_text)(const Profile& self, const Snapshot& snapshot, int64_t debug);
  /// later - earlier for `seconds`; null when the profile has no differences.
  Snapshot (*subtract)(const Snapshot& later, const Snapshot& earlier);
  /// A text that may be long.
  std::unique_ptr<BodySource> (*text_source)(Snapshot snapshot) = nullptr;
};

/// Adds a profile; false when the name is taken or the table is full. Any thread, any time.
bool register_profile(const Profile& profile);

/// The profile of that name, or null.
[[nodiscard]] const Profile* find_profile(std::string_view name);

/// All of them, by name.
[[nodiscard]] std::vector<const Profile*> all_profiles();

/// "heap", "allocs" and "threadcreate".
extern const Profile kHeapProfile;
extern const Profile kAllocsProfile;
extern const Profile kThreadCreateProfile;

/// For profiles that count stacks, such as threadcreate: what `Profile` asks for but `take`.
[[nodiscard]] size_t count_size(const Snapshot& snapshot);
[[nodiscard]] std::string write_counts(const Profile& self, const Snapshot& snapshot);
[[nodiscard]] std::string write_counts_text(const Profile& self, const Snapshot& snapshot,
                                            int64_t debug);
[[nodiscard]] Snapshot subtract_counts(const Snapshot& later, const Snapshot& earlier);

}  // namespace burrow::debug
