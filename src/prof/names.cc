// Names of functions as people read them. See names.h.
#include "prof/names.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>

namespace burrow::prof {
namespace {

constexpr std::string_view kAnonymous = "(anonymous namespace)";
constexpr std::string_view kOperator = "operator";
constexpr std::string_view kClone = "[clone ";
// Those that hold brackets; a longer one stands before its beginning.
constexpr std::array<std::string_view, 15> kBracketOperators = {
    "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<", ">", "()", "[]", "\"\"", ","};

/// Copies the name out of a demangled one, piece by piece.
class Simplifier {
 public:
  explicit Simplifier(std::string_view text) : text_(text) {}

  /// False when the text is not understood.
  bool run();

  /// What stands after the return type.
  [[nodiscard]] std::string name() const { return out_.substr(start_); }

 private:
  [[nodiscard]] bool at(std::string_view word) const { return text_.substr(i_).starts_with(word); }

  void take(size_t count) {
    out_ += text_.substr(i_, count);
    i_ += count;
  }

  bool take_operator();
  bool parameters();
  /// Passes over a bracket and what it holds; false when it does not close.
  bool skip(char open, char close);

  [[nodiscard]] bool is_word_start() const {
    return i_ == 0 ||
           (std::isalnum(static_cast<unsigned char>(text_[i_ - 1])) == 0 && text_[i_ - 1] != '_');
  }

  std::string_view text_;
  std::string out_;
  size_t i_ = 0;
  size_t start_ = 0;         ///< of the name in `out_`
  bool conversion_ = false;  ///< in "operator TYPE", where a blank does not end the return type
  bool done_ = false;
};

bool Simplifier::skip(char open, char close) {
  size_t depth = 0;
  size_t round = 0;
  for (; i_ < text_.size(); ++i_) {
    char c = text_[i_];
    if (open != '(' && (c == '(' || c == ')')) {
      // Comparisons and shifts in template arguments stand in parentheses.
      if (c == ')' && round == 0) {
        return false;
      }
      round += c == '(' ? 1 : size_t(-1);
    } else if (round == 0 && c == open) {
      ++depth;
    } else if (round == 0 && c == close && !(c == '>' && i_ > 0 && text_[i_ - 1] == '-')) {
      if (--depth == 0) {
        ++i_;
        return true;
      }
    }
  }
  return false;
}

bool Simplifier::take_operator() {
  if (!at(kOperator) || !is_word_start() || i_ + kOperator.size() >= text_.size()) {
    return false;
  }
  char next = text_[i_ + kOperator.size()];
  if (next == '_' || std::isalnum(static_cast<unsigned char>(next)) != 0) {
    return false;
  }
  take(kOperator.size());
  const auto* op = std::find_if(kBracketOperators.begin(), kBracketOperators.end(),
                                [this](std::string_view o) { return at(o); });
  if (op != kBracketOperators.end()) {
    take(op->size());
    if (at(" <")) {
      ++i_;  // "operator<< <int>"
    }
  }
  conversion_ = next == ' ' || next == '"';
  return true;
}

// At '(': the parameters, of the function or of one that the name lies in.
bool Simplifier::parameters() {
  bool type = out_.ends_with("decltype ") || out_.ends_with("decltype");
  if (at("(*") || at("(&") || !skip('(', ')')) {
    return false;  // a function that returns a pointer to a function
  }
  if (type) {
    return true;
  }
  conversion_ = false;
  for (std::string_view word : {" const", " volatile", " &&", " &"}) {
    if (at(word)) {
      i_ += word.size();
    }
  }
  done_ = !at("::");
  return true;
}

bool Simplifier::run() {
  while (i_ < text_.size() && !done_) {
    char c = text_[i_];
    if (at(kAnonymous)) {
      take(kAnonymous.size());
    } else if (take_operator()) {
      continue;
    } else if (c == '(') {
      if (!parameters()) {
        return false;
      }
    } else if (c == '<') {
      if (!skip('<', '>')) {
        return false;
      }
    } else if (c == '{') {
      size_t from = i_;
      if (!skip('{', '}')) {
        return false;
      }
      out_ += text_.substr(from, i_ - from);
    } else if (c == '[' && at(kClone)) {
      out_.resize(out_.ends_with(' ') ? out_.size() - 1 : out_.size());
      start_ = std::min(start_, out_.rfind(' ') + 1);
      break;
    } else {
      take(1);
      if (c == ' ' && !conversion_) {
        start_ = out_.size();
      }
    }
  }
  return start_ < out_.size();
}

}  // namespace

std::string simplify_name(std::string_view demangled) {
  Simplifier simplifier(demangled);
  return simplifier.run() ? simplifier.name() : std::string(demangled);
}

std::string readable_name(const std::string& symbol) {
  if (!symbol.starts_with("_Z")) {
    return symbol;  // the demangler takes "f" for the type float
  }
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && name != nullptr ? simplify_name(name.get()) : symbol;
}

}  // namespace burrow::prof
