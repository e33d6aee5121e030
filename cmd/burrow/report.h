// The table of `burrow top`: pprof's arithmetic. See commands.h.
//
// What pprof does on its way to a table, and this does too: it simplifies the names that are still
// as the linker or the demangler wrote them, drops frames by the profile's drop_frames, hides those
// that -hide matches, sums the values by function (or by line), each function once a stack, and
// sorts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "profile.h"

namespace burrow::cmd {

/// One function, or one line of it.
struct Row {
  std::string name;  ///< as pprof prints it, without a line
  std::string file;
  int64_t line = 0;  ///< that on which most of a function's value lies; 0 when unknown
  int64_t flat = 0;  ///< of stacks that end in it
  int64_t cum = 0;   ///< of stacks that it is in
};

struct Report {
  std::vector<Row> rows;
  int64_t total = 0;
};

struct ReportOptions {
  size_t type = 0;      ///< index into Profile::types
  bool lines = false;   ///< a row for each line, not for each function
  bool by_cum = false;  ///< sorted by cum, not by flat
};

/// Gives the functions the names that pprof shows.
void simplify_names(Profile& profile);

/// Removes the frames that the profile itself calls uninteresting, and what they called. False when
/// its pattern is none; `error` says so.
[[nodiscard]] bool drop_frames(Profile& profile, std::string& error);

/// Takes the C++ library's frames out of the stacks: what they allocate is their callers'. A stack
/// that has no others stays as it is.
void hide_library_frames(Profile& profile);

[[nodiscard]] Report make_report(const Profile& profile, const ReportOptions& options);

}  // namespace burrow::cmd
