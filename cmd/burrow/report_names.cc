// Names and frames as pprof treats them before it sums up. See report.h.
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "prof/names.h"
#include "report.h"

namespace burrow::cmd {
namespace {

// pprof's guess that a name was demangled by somebody who left parameters and templates in it.
bool looks_demangled(std::string_view name) {
  return name.find(".<") == std::string_view::npos && name.find("]).") == std::string_view::npos &&
         (name.find_first_of("<>[]") != std::string_view::npos ||
          name.find("::") != std::string_view::npos);
}

// Without the brackets and what is between them. Where they do not match, as far as pprof gets.
std::string without_brackets(std::string name, char open, char close) {
  const char brackets[] = {open, close, '\0'};
  int depth = 0;
  size_t first = 0;
  for (size_t at = 0; (at = name.find_first_of(brackets, at)) != std::string::npos;) {
    if (name[at] == open) {
      first = depth++ == 0 ? at : first;
      ++at;
    } else if (depth == 0) {
      break;
    } else if (--depth == 0) {
      name.erase(first, at + 1 - first);
      at = first;
    } else {
      ++at;
    }
  }
  return name;
}

// The part that drop_frames is matched against: up to the parameters.
std::string_view before_parameters(std::string_view name) {
  constexpr std::string_view kReserved[] = {"(anonymous namespace)", "operator()"};
  if (name.starts_with('.')) {
    name.remove_prefix(1);
  }
  for (size_t i = 0; i < name.size();) {
    const auto* reserved =
        std::find_if(std::begin(kReserved), std::end(kReserved),
                     [&](std::string_view word) { return name.substr(i).starts_with(word); });
    if (reserved != std::end(kReserved)) {
      i += reserved->size();
    } else if (name[i] == '(') {
      return name.substr(0, i);
    } else {
      ++i;
    }
  }
  return name;
}

/// Which frames to leave out.
class DropRule {
 public:
  DropRule(const std::string& drop, const std::string& keep)
      : drop_("^(?:" + drop + ")$", RE2::Quiet) {
    if (!keep.empty()) {
      keep_ = std::make_unique<RE2>("^(?:" + keep + ")$", RE2::Quiet);
    }
  }

  [[nodiscard]] std::string error() const {
    return !drop_.ok() ? drop_.error() : keep_ != nullptr && !keep_->ok() ? keep_->error() : "";
  }

  [[nodiscard]] bool drops(const std::string& name) const {
    if (name.empty()) {
      return false;
    }
    std::string_view part = before_parameters(name);
    re2::StringPiece text(part.data(), part.size());
    return RE2::PartialMatch(text, drop_) && (keep_ == nullptr || !RE2::PartialMatch(text, *keep_));
  }

 private:
  RE2 drop_;
  std::unique_ptr<RE2> keep_;
};

enum class Cut : uint8_t {
  kNone,
  kBeneath,  ///< the location stays, what it calls goes
  kWhole,    ///< the location goes too
};

// Looks for the outermost frame to drop, and takes it and the inlined ones beneath it away.
Cut cut(ProfileLocation& location, const std::vector<bool>& dropped) {
  for (size_t i = location.lines.size(); i-- > 0;) {
    if (dropped[location.lines[i].function]) {
      if (i + 1 == location.lines.size()) {
        return Cut::kWhole;
      }
      location.lines.erase(location.lines.begin(),
                           location.lines.begin() + static_cast<ptrdiff_t>(i + 1));
      return Cut::kBeneath;
    }
  }
  return Cut::kNone;
}

// From the outermost frame inwards; nothing goes before the first frame that stays.
void prune(ProfileSample& sample, const std::vector<Cut>& cuts) {
  bool found_user = false;
  for (size_t i = sample.locations.size(); i-- > 0;) {
    Cut what = cuts[sample.locations[i]];
    if (what == Cut::kNone) {
      found_user = true;
    } else if (found_user) {
      size_t count = what == Cut::kWhole ? i + 1 : i;
      sample.locations.erase(sample.locations.begin(),
                             sample.locations.begin() + static_cast<ptrdiff_t>(count));
      return;
    }
  }
}

bool is_library_function(const std::string& name) {
  return name.starts_with("std::") || name.starts_with("__gnu_cxx::");
}

}  // namespace

void simplify_names(Profile& profile) {
  for (ProfileFunction& function : profile.functions) {
    if (!function.name.empty() && function.system_name != function.name) {
      continue;
    }
    function.name = prof::readable_name(function.system_name);
    if (function.name == function.system_name && looks_demangled(function.name)) {
      function.name = without_brackets(without_brackets(function.name, '(', ')'), '<', '>');
    }
  }
}

bool drop_frames(Profile& profile, std::string& error) {
  if (profile.drop_frames.empty()) {
    return true;
  }
  DropRule rule(profile.drop_frames, profile.keep_frames);
  error = rule.error();
  if (!error.empty()) {
    error = "its drop_frames is no pattern: " + error;
    return false;
  }
  std::vector<bool> dropped;
  dropped.reserve(profile.functions.size());
  for (const ProfileFunction& function : profile.functions) {
    dropped.push_back(rule.drops(function.name));
  }
  std::vector<Cut> cuts;
  cuts.reserve(profile.locations.size());
  for (ProfileLocation& location : profile.locations) {
    cuts.push_back(cut(location, dropped));
  }
  for (ProfileSample& sample : profile.samples) {
    prune(sample, cuts);
  }
  return true;
}

void hide_library_frames(Profile& profile) {
  std::vector<bool> hidden;  // of each location, whether nothing else is at it
  hidden.reserve(profile.locations.size());
  for (const ProfileLocation& location : profile.locations) {
    hidden.push_back(
        !location.lines.empty() &&
        std::all_of(location.lines.begin(), location.lines.end(), [&](const ProfileLine& line) {
          return is_library_function(profile.functions[line.function].name);
        }));
  }
  for (ProfileSample& sample : profile.samples) {
    auto is_hidden = [&](size_t location) { return hidden[location]; };
    if (!std::all_of(sample.locations.begin(), sample.locations.end(), is_hidden)) {
      std::erase_if(sample.locations, is_hidden);
    }
  }
  for (size_t i = 0; i < profile.locations.size(); ++i) {
    if (!hidden[i]) {
      std::erase_if(profile.locations[i].lines, [&](const ProfileLine& line) {
        return is_library_function(profile.functions[line.function].name);
      });
    }
  }
}

}  // namespace burrow::cmd
