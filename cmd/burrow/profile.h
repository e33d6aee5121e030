// A pprof profile as values. See commands.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace burrow::cmd {

/// What a value of each sample means.
struct ValueType {
  std::string type;  ///< such as "inuse_space"
  std::string unit;  ///< such as "bytes"
};

struct ProfileFunction {
  std::string name;
  std::string system_name;
  std::string file;
};

/// One frame at a location: innermost first, where calls were inlined.
struct ProfileLine {
  size_t function = 0;  ///< index into Profile::functions
  int64_t line = 0;
};

struct ProfileLocation {
  std::string object_file;  ///< of its mapping; may be empty
  std::vector<ProfileLine> lines;
};

struct ProfileSample {
  std::vector<size_t> locations;  ///< indices into Profile::locations, innermost first
  std::vector<int64_t> values;    ///< one for each of Profile::types
};

struct Profile {
  std::vector<ValueType> types;
  std::vector<ProfileSample> samples;
  std::vector<ProfileLocation> locations;
  std::vector<ProfileFunction> functions;
  std::string program;  ///< the file of the first mapping
  std::string drop_frames;
  std::string keep_frames;
  std::string default_type;
  int64_t time_ns = 0;
  int64_t duration_ns = 0;
};

/// Reads a profile, gzip'd or not. What is wrong with it goes to `error`, and false is returned.
[[nodiscard]] bool parse_profile(std::string_view data, Profile& profile, std::string& error);

/// The index of the values to show: those named `type`, or when it is empty the profile's default,
/// which is the last one if it names none. -1 when there are none of that name.
[[nodiscard]] int find_type(const Profile& profile, std::string_view type);

}  // namespace burrow::cmd
