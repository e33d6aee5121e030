// /debug/pprof/symbol: names for addresses. See symbol.h.
#include "debug/symbol.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "prof/symbolize.h"

namespace burrow::debug {
namespace {

// 0 for what is no address.
uintptr_t parse_address(std::string_view word) {
  int base = 10;
  if (word.starts_with("0x") || word.starts_with("0X")) {
    word.remove_prefix(2);
    base = 16;
  }
  uintptr_t value = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  return error == std::errc() && end == word.data() + word.size() ? value : 0;
}

}  // namespace

std::string symbol_answer(std::string_view question) {
  std::vector<uintptr_t> addresses;
  while (!question.empty()) {
    size_t end = std::min(question.find('+'), question.size());
    if (uintptr_t a = parse_address(question.substr(0, end)); a != 0) {
      addresses.push_back(a);
    }
    question.remove_prefix(std::min(end + 1, question.size()));
  }
  // Go does not say how many; readers only tell 0 from the rest.
  std::string out = "num_symbols: 1\n";
  std::vector<std::vector<prof::Frame>> frames = prof::symbolize(addresses);
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (frames[i].empty() || frames[i].front().function.empty()) {
      continue;
    }
    char hex[20];
    char* end = std::to_chars(hex, hex + sizeof hex, addresses[i], 16).ptr;
    out += "0x" + std::string(hex, end) + " " + frames[i].front().function + "\n";
  }
  return out;
}

}  // namespace burrow::debug
