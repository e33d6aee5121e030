// The lines of `burrow symbolize`. See symbolize.h.
#include <algorithm>
#include <charconv>

#include "symbolize.h"

namespace burrow::cmd {

std::vector<Question> parse_questions(std::string_view input) {
  std::vector<Question> questions;
  while (!input.empty()) {
    size_t end = std::min(input.find('\n'), input.size());
    std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    std::string_view value = line.substr(std::min<size_t>(2, line.size()));
    if (line.starts_with("M ")) {
      questions.push_back({std::string(value), {}, {}});
    } else if (line.starts_with("A ")) {
      if (questions.empty()) {
        questions.emplace_back();
      }
      uint64_t address = 0;
      std::from_chars(value.data(), value.data() + value.size(), address, 16);
      questions.back().addresses.push_back(address);
    } else if (line.starts_with("B ") && !questions.empty()) {
      questions.back().build_id = value;
    }
  }
  return questions;
}

std::string whole_answers(std::string_view output, size_t wanted) {
  size_t found = 0;
  size_t end = 0;
  for (size_t at = 0; at < output.size() && found < wanted;) {
    size_t newline = output.find('\n', at);
    if (newline == std::string_view::npos) {
      break;
    }
    if (output.substr(at, newline - at) == ".") {
      ++found;
      end = newline + 1;
    }
    at = newline + 1;
  }
  std::string result(output.substr(0, end));
  for (; found < wanted; ++found) {
    result += ".\n";
  }
  return result;
}

}  // namespace burrow::cmd
