// Reads pprof's profile.proto. See profile.h.
#include "profile.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <stdexcept>
#include <unordered_map>

namespace burrow::cmd {
namespace {

using protozero::pbf_reader;

constexpr size_t kMostBytes = size_t{1} << 30;

// A field with another type than this is passed over, as one with an unknown number.
constexpr uint32_t varint(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}

constexpr uint32_t bytes(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}

/// A fault in the profile; caught by `parse_profile`.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

bool is_gzip(std::string_view data) {
  return data.starts_with("\x1f\x8b");
}

// One member after the other, as gzip allows.
std::string gunzip(std::string_view data) {
  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::string whole;
  while (is_gzip(data)) {
    std::string part;
    size_t used = 0;
    size_t made = 0;
    libdeflate_result result = LIBDEFLATE_INSUFFICIENT_SPACE;
    for (size_t room = std::max<size_t>(4 * data.size(), 4096);
         result == LIBDEFLATE_INSUFFICIENT_SPACE && room <= kMostBytes; room *= 4) {
      part.resize(room);
      result = libdeflate_gzip_decompress_ex(decompressor.get(), data.data(), data.size(),
                                             part.data(), part.size(), &used, &made);
    }
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      throw Malformed("more than 1 GiB when unpacked");
    }
    if (result != LIBDEFLATE_SUCCESS) {
      throw Malformed("damaged or cut off (its gzip data does not unpack)");
    }
    whole.append(part, 0, made);
    data.remove_prefix(used);
  }
  return whole;
}

/// Keeps the parts that refer to each other by number or by string until all are there.
class Reader {
 public:
  explicit Reader(Profile& out) : out_(out) {}

  void read(std::string_view data);

 private:
  struct RawLine {
    uint64_t function = 0;
    int64_t line = 0;
  };

  struct RawLocation {
    uint64_t mapping = 0;
    std::vector<RawLine> lines;
  };

  void read_value_type(pbf_reader message);
  void read_sample(pbf_reader message);
  void read_mapping(pbf_reader message);
  void read_location(pbf_reader message);
  void read_function(pbf_reader message);
  void resolve();

  [[nodiscard]] const std::string& string(int64_t index) const {
    if (index < 0 || static_cast<size_t>(index) >= strings_.size()) {
      throw Malformed("malformed: a string is missing");
    }
    return strings_[static_cast<size_t>(index)];
  }

  static size_t find(const std::unordered_map<uint64_t, size_t>& ids, uint64_t id,
                     const char* what) {
    auto it = ids.find(id);
    if (it == ids.end()) {
      throw Malformed(std::string("malformed: a ") + what + " is missing");
    }
    return it->second;
  }

  static void add_id(std::unordered_map<uint64_t, size_t>& ids, uint64_t id, const char* what) {
    if (id == 0 || !ids.try_emplace(id, ids.size()).second) {
      throw Malformed(std::string("malformed: a ") + what + "'s number is 0 or there twice");
    }
  }

  Profile& out_;
  std::vector<std::string> strings_;
  std::vector<std::pair<int64_t, int64_t>> types_;
  std::vector<std::array<int64_t, 3>> functions_;  ///< name, system name, file
  std::vector<RawLocation> locations_;
  std::vector<int64_t> mapping_files_;
  std::unordered_map<uint64_t, size_t> function_ids_;
  std::unordered_map<uint64_t, size_t> location_ids_;
  std::unordered_map<uint64_t, size_t> mapping_ids_;
  int64_t drop_frames_ = 0;
  int64_t keep_frames_ = 0;
  int64_t default_type_ = 0;
};

void Reader::read_value_type(pbf_reader message) {
  std::pair<int64_t, int64_t> type;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(1):
        type.first = message.get_int64();
        break;
      case varint(2):
        type.second = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  types_.push_back(type);
}

// Numbers may come packed or one by one.
template <typename Number, typename Packed, typename Single>
void read_numbers(pbf_reader& message, std::vector<Number>& numbers, Packed packed, Single single) {
  if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
    auto range = (message.*packed)();
    std::copy(range.begin(), range.end(), std::back_inserter(numbers));
  } else {
    numbers.push_back((message.*single)());
  }
}

void Reader::read_sample(pbf_reader message) {
  ProfileSample sample;
  std::vector<uint64_t> ids;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(1):
      case bytes(1):
        read_numbers(message, ids, &pbf_reader::get_packed_uint64, &pbf_reader::get_uint64);
        break;
      case varint(2):
      case bytes(2):
        read_numbers(message, sample.values, &pbf_reader::get_packed_int64, &pbf_reader::get_int64);
        break;
      default:
        message.skip();
    }
  }
  sample.locations.assign(ids.begin(), ids.end());  // numbers until `resolve`
  out_.samples.push_back(std::move(sample));
}

void Reader::read_mapping(pbf_reader message) {
  uint64_t id = 0;
  int64_t file = 0;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(1):
        id = message.get_uint64();
        break;
      case varint(5):
        file = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  add_id(mapping_ids_, id, "mapping");
  mapping_files_.push_back(file);
}

void Reader::read_location(pbf_reader message) {
  uint64_t id = 0;
  RawLocation location;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(1):
        id = message.get_uint64();
        break;
      case varint(2):
        location.mapping = message.get_uint64();
        break;
      case bytes(4): {
        RawLine line;
        pbf_reader part = message.get_message();
        while (part.next()) {
          switch (part.tag_and_type()) {
            case varint(1):
              line.function = part.get_uint64();
              break;
            case varint(2):
              line.line = part.get_int64();
              break;
            default:
              part.skip();
          }
        }
        location.lines.push_back(line);
        break;
      }
      default:
        message.skip();
    }
  }
  add_id(location_ids_, id, "location");
  locations_.push_back(std::move(location));
}

void Reader::read_function(pbf_reader message) {
  uint64_t id = 0;
  std::array<int64_t, 3> strings{};
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(1):
        id = message.get_uint64();
        break;
      case varint(2):
      case varint(3):
      case varint(4):
        strings[message.tag() - 2] = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  add_id(function_ids_, id, "function");
  functions_.push_back(strings);
}

void Reader::resolve() {
  for (const auto& [type, unit] : types_) {
    out_.types.push_back({string(type), string(unit)});
  }
  for (const auto& [name, system_name, file] : functions_) {
    out_.functions.push_back({string(name), string(system_name), string(file)});
  }
  for (const RawLocation& raw : locations_) {
    ProfileLocation location;
    if (raw.mapping != 0) {
      location.object_file = string(mapping_files_[find(mapping_ids_, raw.mapping, "mapping")]);
    }
    for (const RawLine& line : raw.lines) {
      location.lines.push_back({find(function_ids_, line.function, "function"), line.line});
    }
    out_.locations.push_back(std::move(location));
  }
  for (ProfileSample& sample : out_.samples) {
    if (sample.values.size() != out_.types.size()) {
      throw Malformed("malformed: a sample has more or fewer values than there are types");
    }
    for (size_t& location : sample.locations) {
      location = find(location_ids_, location, "location");
    }
  }
  out_.program = mapping_files_.empty() ? "" : string(mapping_files_[0]);
  out_.drop_frames = string(drop_frames_);
  out_.keep_frames = string(keep_frames_);
  out_.default_type = string(default_type_);
}

void Reader::read(std::string_view data) {
  pbf_reader message(data.data(), data.size());
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes(1):
        read_value_type(message.get_message());
        break;
      case bytes(2):
        read_sample(message.get_message());
        break;
      case bytes(3):
        read_mapping(message.get_message());
        break;
      case bytes(4):
        read_location(message.get_message());
        break;
      case bytes(5):
        read_function(message.get_message());
        break;
      case bytes(6):
        strings_.push_back(message.get_string());
        break;
      case varint(7):
        drop_frames_ = message.get_int64();
        break;
      case varint(8):
        keep_frames_ = message.get_int64();
        break;
      case varint(9):
        out_.time_ns = message.get_int64();
        break;
      case varint(10):
        out_.duration_ns = message.get_int64();
        break;
      case varint(14):
        default_type_ = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  if (strings_.empty() || !strings_[0].empty() || types_.empty()) {
    throw Malformed("no profile that pprof could read");
  }
  resolve();
}

}  // namespace

bool parse_profile(std::string_view data, Profile& profile, std::string& error) {
  profile = Profile();
  try {
    std::string unpacked;
    if (is_gzip(data)) {
      unpacked = gunzip(data);
      data = unpacked;
    }
    Reader(profile).read(data);
    return true;
  } catch (const Malformed& fault) {
    error = fault.what();
  } catch (const protozero::exception&) {
    error = data.starts_with("heap profile:") ? "Go's text form (debug=1); fetch it without debug"
                                              : "no profile that pprof could read";
  } catch (const std::bad_alloc&) {
    error = "too large for the memory here";
  }
  return false;
}

int find_type(const Profile& profile, std::string_view type) {
  int last = static_cast<int>(profile.types.size()) - 1;
  std::string_view wanted = type.empty() ? std::string_view(profile.default_type) : type;
  for (int i = 0; i <= last; ++i) {
    if (profile.types[static_cast<size_t>(i)].type == wanted) {
      return i;
    }
  }
  return type.empty() ? last : -1;
}

}  // namespace burrow::cmd
