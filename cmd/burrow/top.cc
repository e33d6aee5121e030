// `burrow top`. See top.h.
#include "top.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <span>
#include <string_view>

#include "console.h"
#include "fetch.h"
#include "files.h"
#include "profile.h"
#include "report.h"
#include "units.h"

namespace burrow::cmd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{1} << 30;

// What Burrow and Go serve. A server may take long to answer: what it will not have is said before.
bool may_be_served(const std::string& type) {
  constexpr std::array<std::string_view, 12> kTypes = {
      "",          "alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
      "goroutine", "threadcreate",  "samples",     "cpu",           "contentions",
      "delay",     "count"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// The exit code; 0 when `data` has the profile.
int load(const TopOptions& options, std::string& data) {
  int fd = open(options.source.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0 || errno != ENOENT) {
    std::optional<std::string> text = fd >= 0 ? read_all(fd, kMostBytes) : std::nullopt;
    int error = errno;
    close(fd);
    if (!text) {
      return complain(kFailed, "cannot read " + options.source + ": " + error_text(error));
    }
    data = std::move(*text);
    return 0;
  }
  if (!may_be_served(options.type)) {
    return complain(kUsage, "--by " + options.type +
                                ": write alloc_objects, alloc_space, inuse_objects or inuse_space");
  }
  std::optional<Source> source = parse_source(options.source);
  if (!source) {
    return complain(kFailed, "there is no file " + options.source +
                                 " (a source is a file, http://HOST:PORT/PATH or unix:/PATH)");
  }
  std::string reason;
  if (!download(*source, time_limit(*source, options.timeout), data, reason)) {
    return complain(kFailed, options.source + ": " + reason);
  }
  return 0;
}

std::string names_of_types(const Profile& profile) {
  std::string names;
  for (const ValueType& type : profile.types) {
    names += (names.empty() ? "" : ", ") + type.type;
  }
  return names;
}

std::string time_text(int64_t time_ns) {
  std::time_t seconds = time_ns / 1'000'000'000;
  std::tm parts{};
  std::array<char, 64> text{};
  localtime_r(&seconds, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%F %T %Z", &parts)};
}

std::string place_of(const Row& row) {
  if (row.file.empty() || row.line == 0) {
    return row.file;
  }
  return row.file + ":" + std::to_string(row.line);
}

std::string unit_of_table(std::span<const Row> shown, int64_t total, const std::string& from,
                          const std::string& asked) {
  if (asked != "auto") {
    return asked;
  }
  int64_t least = 0;
  for (const Row& row : shown) {
    int64_t value = std::abs(row.flat != 0 ? row.flat : row.cum);
    least = value != 0 && (least == 0 || value < least) ? value : least;
  }
  return table_unit(least, total, from);
}

void print(const Profile& profile, const ValueType& type, const Report& report,
           const TopOptions& options) {
  std::span<const Row> shown(report.rows);
  if (options.rows > 0) {
    shown = shown.first(std::min(shown.size(), static_cast<size_t>(options.rows)));
  }
  std::string unit = unit_of_table(shown, report.total, type.unit, options.unit);
  auto label = [&](int64_t value) { return scaled_label(value, type.unit, unit); };
  if (!profile.program.empty()) {
    std::printf("File: %s\n", fs::path(profile.program).filename().c_str());
  }
  std::printf("Type: %s\n", type.type.c_str());
  if (profile.time_ns != 0) {
    std::printf("Time: %s\n", time_text(profile.time_ns).c_str());
  }
  if (profile.duration_ns != 0) {
    std::printf("Duration: %s\n", scaled_label(profile.duration_ns, "ns", "auto").c_str());
  }
  std::printf("Showing %zu of %zu %s; %s in all\n", shown.size(), report.rows.size(),
              options.lines ? "lines" : "functions", label(report.total).c_str());
  constexpr size_t kWidest = 60;
  size_t width = 8;
  for (const Row& row : shown) {
    size_t length = row.name.size();
    width = length <= kWidest ? std::max(width, length) : width;
  }
  std::printf("%10s %5s%% %5s%% %10s %5s%%  %-*s  %s\n", "flat", "flat", "sum", "cum", "cum",
              static_cast<int>(width), "function", "file:line");
  int64_t sum = 0;
  for (const Row& row : shown) {
    sum += row.flat;
    std::string place = place_of(row);
    std::printf("%10s %s %s %10s %s  %-*s%s%s\n", label(row.flat).c_str(),
                percentage(row.flat, report.total).c_str(), percentage(sum, report.total).c_str(),
                label(row.cum).c_str(), percentage(row.cum, report.total).c_str(),
                place.empty() ? 0 : static_cast<int>(width), row.name.c_str(),
                place.empty() ? "" : "  ", place.c_str());
  }
}

}  // namespace

int top(const TopOptions& options) {
  std::string data;
  if (int code = load(options, data); code != 0) {
    return code;
  }
  Profile profile;
  std::string error;
  if (!parse_profile(data, profile, error)) {
    return complain(kFailed, options.source + " is " + error);
  }
  int index = find_type(profile, options.type);
  if (index < 0) {
    return complain(kUsage,
                    "--by " + options.type + ": this profile has " + names_of_types(profile));
  }
  const ValueType& type = profile.types[static_cast<size_t>(index)];
  if (!is_unit_of(options.unit, type.unit)) {
    return complain(kUsage, "--unit " + options.unit + ": the figures are " + type.unit);
  }
  simplify_names(profile);
  if (!drop_frames(profile, error)) {
    return complain(kFailed, options.source + ": " + error);
  }
  if (!options.library_frames) {
    hide_library_frames(profile);
  }
  ReportOptions report;
  report.type = static_cast<size_t>(index);
  report.lines = options.lines;
  report.by_cum = options.by_cum;
  print(profile, type, make_report(profile, report), options);
  return 0;
}

}  // namespace burrow::cmd
