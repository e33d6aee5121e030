// Functions and lines in one object file, by elfutils' libdw. See symbolize.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace burrow::cmd {

/// One source frame.
struct SourceFrame {
  std::string symbol;  ///< the linker's name where there is one, else the source's; may be empty
  std::string scoped;  ///< where that is the source's and in C++: the name with its namespaces
  std::string file;    ///< may be empty
  int64_t line = 0;    ///< 0 when unknown
  /// Bytes from where the function in which this was inlined, or this itself, begins; -1: unknown.
  int64_t offset = -1;
};

/// An object file with its debug information: its own, or that of a separate file found by
/// build-id or .gnu_debuglink below /usr/lib/debug, or none, and then its symbols.
class DebugInfo {
 public:
  /// Opens `path`. Where `build_id` (hexadecimal) is given and the file there is gone or another
  /// one, takes the executable of process `owner` or a separate debug file that has this build-id;
  /// with none of them, nothing is found here.
  DebugInfo(const std::string& path, const std::string& build_id, int owner);
  ~DebugInfo();
  DebugInfo(const DebugInfo&) = delete;
  DebugInfo& operator=(const DebugInfo&) = delete;

  /// The frames at an address of the file's own numbering, innermost first.
  [[nodiscard]] std::vector<SourceFrame> frames(uint64_t address);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace burrow::cmd
