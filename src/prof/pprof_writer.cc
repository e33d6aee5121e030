// pprof's protobuf, after github.com/google/pprof's profile.proto. See pprof_writer.h.
#include "prof/pprof_writer.h"

#include <libdeflate.h>

#include <array>
#include <map>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <tuple>
#include <unordered_map>

#include "os/os.h"
#include "prof/symbolize.h"

namespace burrow::prof {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto.
enum ProfileField : uint32_t {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kDropFrames = 7,
  kTimeNanos = 9,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kDefaultSampleType = 14,
};

/// Collects the tables that samples refer to, and writes them behind the samples.
class Builder {
 public:
  Builder() { string(""); }

  uint64_t string(std::string_view text) {
    auto [it, added] = string_ids_.try_emplace(std::string(text), strings_.size());
    if (added) {
      strings_.emplace_back(text);
    }
    return it->second;
  }

  void value_type(uint32_t field, std::string_view type, std::string_view unit) {
    pbf_writer message(writer_, field);
    message.add_int64(1, static_cast<int64_t>(string(type)));
    message.add_int64(2, static_cast<int64_t>(string(unit)));
  }

  /// Resolves every address of the profile at once, before samples are added.
  void resolve(const auto& records) {
    modules_ = loaded_modules();
    found_all_.assign(modules_.size(), true);
    symbols_ = symbols_of(records);
    // What is asked for and never written to costs no memory; a string that grows has two copies.
    size_t frames = 0;
    for (const auto& r : records) {
      frames += r.stack.size();
    }
    data_.reserve(frames * kMostBytesOfId + records.size() * kUsualBytesOfSample);
  }

  void sample(std::span<const uintptr_t> stack, std::span<const int64_t> values,
              int64_t object_size) {
    ids_.clear();
    for (uintptr_t address : stack) {
      ids_.push_back(location(address));
    }
    pbf_writer message(writer_, kSample);
    message.add_packed_uint64(1, ids_.begin(), ids_.end());
    message.add_packed_int64(2, values.begin(), values.end());
    if (object_size > 0) {
      pbf_writer label(message, 3);
      label.add_int64(1, static_cast<int64_t>(string("bytes")));
      label.add_int64(3, object_size);
    }
  }

  pbf_writer& writer() { return writer_; }

  std::string finish();

 private:
  static constexpr size_t kMostBytesOfId = 3;  // of 2,097,152 locations
  static constexpr size_t kUsualBytesOfSample = 40;

  uint64_t location(uintptr_t address);
  uint64_t function(const Frame& frame);
  void write_mappings();

  std::string data_;
  pbf_writer writer_{data_};
  std::vector<std::string> strings_;
  std::unordered_map<std::string, uint64_t> string_ids_;
  std::vector<Module> modules_;
  std::vector<bool> found_all_;  ///< of each module, whether every frame in it has a function
  Symbols symbols_;
  std::vector<uint64_t> ids_;
  std::unordered_map<uintptr_t, uint64_t> location_ids_;
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> function_ids_;
};

uint64_t Builder::function(const Frame& frame) {
  auto [it, added] = function_ids_.try_emplace({frame.function, frame.symbol, frame.file},
                                               function_ids_.size() + 1);
  if (added) {
    uint64_t name = string(frame.function);
    // Where the two differ, readers show the name as it is.
    uint64_t system_name = frame.symbol.empty() ? name : string(frame.symbol);
    uint64_t file = string(frame.file);
    pbf_writer message(writer_, kFunction);
    message.add_uint64(1, it->second);
    message.add_int64(2, static_cast<int64_t>(name));
    message.add_int64(3, static_cast<int64_t>(system_name));
    message.add_int64(4, static_cast<int64_t>(file));
  }
  return it->second;
}

uint64_t Builder::location(uintptr_t address) {
  auto [it, added] = location_ids_.try_emplace(address, location_ids_.size() + 1);
  if (!added) {
    return it->second;
  }
  uint64_t id = it->second;
  std::vector<std::pair<uint64_t, int64_t>> lines;
  for (const Frame& frame : symbols_.at(address)) {
    if (!frame.function.empty()) {
      lines.emplace_back(function(frame), frame.line);
    }
  }
  uint64_t mapping = 0;
  for (size_t i = 0; i < modules_.size(); ++i) {
    if (address >= modules_[i].start && address < modules_[i].limit) {
      mapping = i + 1;
      found_all_[i] = found_all_[i] && !lines.empty();
    }
  }
  pbf_writer message(writer_, kLocation);
  message.add_uint64(1, id);
  if (mapping != 0) {
    message.add_uint64(2, mapping);
  }
  message.add_uint64(3, address);
  for (const auto& [function_id, line] : lines) {
    pbf_writer entry(message, 4);
    entry.add_uint64(1, function_id);
    if (line > 0) {
      entry.add_int64(2, line);
    }
  }
  return id;
}

void Builder::write_mappings() {
  for (size_t i = 0; i < modules_.size(); ++i) {
    const Module& m = modules_[i];
    uint64_t path = string(m.path);
    uint64_t build_id = string(m.build_id);
    pbf_writer message(writer_, kMapping);
    message.add_uint64(1, i + 1);
    message.add_uint64(2, m.start);
    message.add_uint64(3, m.limit);
    message.add_uint64(4, m.offset);
    message.add_int64(5, static_cast<int64_t>(path));
    message.add_int64(6, static_cast<int64_t>(build_id));
    // With any of these readers do not look for symbols themselves. They may have the file that a
    // stripped one was made from.
    for (uint32_t has = 7; has <= 10 && found_all_[i]; ++has) {
      message.add_bool(has, true);
    }
  }
}

std::string gzip(const std::string& data) {
  std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), libdeflate_free_compressor);
  if (compressor == nullptr) {
    return {};
  }
  const size_t most = libdeflate_gzip_compress_bound(compressor.get(), data.size());
  const auto out = std::make_unique_for_overwrite<char[]>(most);
  return {out.get(),
          libdeflate_gzip_compress(compressor.get(), data.data(), data.size(), out.get(), most)};
}

std::string Builder::finish() {
  write_mappings();
  for (const std::string& s : strings_) {
    writer_.add_string(kStringTable, s);
  }
  return gzip(data_);
}

}  // namespace

bool pprof_has_samples(std::string_view message) {
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    return reader.next(kSample);
  } catch (const protozero::exception&) {
    return true;
  }
}

std::string_view drop_frames() {
  // Readers match the whole name, whether it has its template arguments or has lost them, up to
  // the parameters. All beneath a match goes too: only what calls nothing of the user's is here.
  return "burrow::(heap|prof|shim)::.*|malloc|calloc|realloc|reallocarray|memalign|aligned_alloc|"
         "posix_memalign|valloc|pvalloc|operator new(\\[\\])?|__gnu_cxx::new_allocator\\b.*|"
         "std::__new_allocator\\b.*|std::allocator::allocate|std::allocator<.*>::allocate|"
         "std::allocator_traits\\b.*::allocate";
}

std::string write_heap_pprof(const HeapProfile& profile, ProfileKind kind) {
  Builder b;
  b.value_type(kSampleType, "alloc_objects", "count");
  b.value_type(kSampleType, "alloc_space", "bytes");
  b.value_type(kSampleType, "inuse_objects", "count");
  b.value_type(kSampleType, "inuse_space", "bytes");
  b.resolve(profile.records);
  for (const ProfileRecord& r : profile.records) {
    Scaled alloc = scale(r.alloc_objects, r.alloc_bytes, profile.rate);
    Scaled inuse = scale(r.inuse_objects, r.inuse_bytes, profile.rate);
    b.sample(r.stack, std::array{alloc.count, alloc.bytes, inuse.count, inuse.bytes},
             r.object_size);
  }
  b.value_type(kPeriodType, "space", "bytes");
  b.writer().add_int64(kPeriod, profile.rate);
  b.writer().add_int64(kTimeNanos, profile.time_ns);
  if (profile.duration_ns > 0) {
    b.writer().add_int64(kDurationNanos, profile.duration_ns);
  }
  b.writer().add_int64(kDropFrames, static_cast<int64_t>(b.string(drop_frames())));
  if (kind == ProfileKind::kAllocs) {
    b.writer().add_int64(kDefaultSampleType, static_cast<int64_t>(b.string("alloc_space")));
  }
  return b.finish();
}

std::string write_count_pprof(std::string_view name, const std::vector<CountRecord>& records) {
  Builder b;
  b.value_type(kSampleType, name, "count");
  b.resolve(records);
  for (const CountRecord& r : records) {
    b.sample(r.stack, std::array{r.count}, 0);
  }
  b.value_type(kPeriodType, name, "count");
  b.writer().add_int64(kPeriod, 1);
  b.writer().add_int64(kTimeNanos, os::wall_ns());
  return b.finish();
}

}  // namespace burrow::prof
