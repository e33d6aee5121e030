// What `burrow c++` was asked for: its own options, and what it must know of the compiler's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace burrow::cmd {

struct CxxRequest {
  std::string explain;  ///< 1, 2 or json; empty: say nothing
  bool barriers = false;
  bool elide_new = false;
  std::vector<std::string> summaries;
  std::string wrong;  ///< what to complain of; empty when nothing is

  bool lto = false;
  bool debug_info = false;
  bool optimised = false;
  bool only_cxx = true;        ///< no input is of another language, which has other standards
  bool links = false;          ///< a program or a shared library comes of it
  bool archives_only = false;  ///< -static: no shared library is linked
  std::vector<std::string> rest;
};

/// Reads the arguments, and those in response files. `rest` has what is the compiler's, in order; a
/// response file stays one unless some of what is in it is not.
CxxRequest read_cxx_request(const std::vector<std::string>& arguments);

/// The words of a response file as clang reads them: blanks part them, quotes keep them together,
/// and a backslash takes the next character as it is.
std::vector<std::string> response_words(std::string_view text);

}  // namespace burrow::cmd
