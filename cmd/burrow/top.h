// `burrow top`. See commands.h.
#pragma once

#include <optional>
#include <string>

namespace burrow::cmd {

struct TopOptions {
  std::string source;  ///< URL or file
  std::string type;    ///< of values; empty: the profile's default
  std::string unit = "auto";
  int rows = 20;  ///< 0: all
  bool lines = false;
  bool by_cum = false;
  bool library_frames = false;  ///< std:: is shown too
  std::optional<int> timeout;   ///< seconds
};

/// Prints the table. The exit code.
int top(const TopOptions& options);

}  // namespace burrow::cmd
