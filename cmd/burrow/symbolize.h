// `burrow symbolize`: answers where addresses are in the source. See commands.h.
//
// The other end is src/prof/symbolize.cc, which also says what the lines mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace burrow::cmd {

/// One object file and the addresses asked of it.
struct Question {
  std::string path;
  std::string build_id;  ///< hexadecimal; empty when unknown
  std::vector<uint64_t> addresses;
};

/// Reads the questions; lines that are none are passed over, except that an address that is no
/// number is asked as 0, so that questions and answers stay in step.
[[nodiscard]] std::vector<Question> parse_questions(std::string_view input);

/// The first `wanted` whole answers of `output`, and a "." for each that is missing.
[[nodiscard]] std::string whole_answers(std::string_view output, size_t wanted);

/// Standard input to standard output. The exit code.
int symbolize();

}  // namespace burrow::cmd
