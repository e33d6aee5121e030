// See cxx_request.h.
#include "cxx_request.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>

namespace burrow::cmd {
namespace {

constexpr std::string_view kSummaries = "--summaries";
/// Response files in response files, before one must name itself.
constexpr int kDeepest = 16;

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

/// Options of clang whose value is the next argument.
bool takes_next(std::string_view option) {
  static constexpr std::array<std::string_view, 34> kAll = {
      "-o",       "-x",         "-I",           "-L",
      "-D",       "-U",         "-l",           "-T",
      "-u",       "-z",         "-e",           "-F",
      "-MF",      "-MT",        "-MQ",          "-MJ",
      "-include", "-imacros",   "-include-pch", "-isystem",
      "-iquote",  "-idirafter", "-isysroot",    "-iprefix",
      "-Xclang",  "-Xlinker",   "-Xassembler",  "-Xpreprocessor",
      "-mllvm",   "-target",    "-arch",        "--param",
      "-rpath",   "--sysroot"};
  return is_one_of(kAll, option);
}

/// Options after which nothing is linked.
bool stops_before_linking(std::string_view option) {
  static constexpr std::array<std::string_view, 10> kAll = {
      "-c", "-S",  "-E", "-fsyntax-only", "--precompile", "--analyze",
      "-M", "-MM", "-r", "-emit-ast"};
  return is_one_of(kAll, option);
}

bool is_header(std::string_view file) {
  static constexpr std::array<std::string_view, 6> kAll = {"h", "H", "hh", "hp", "hpp", "hxx"};
  size_t dot = file.rfind('.');
  return dot != std::string_view::npos && is_one_of(kAll, file.substr(dot + 1));
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class Reader {
 public:
  explicit Reader(CxxRequest& into) : request_(into) {}

  /// The arguments that are the compiler's. Whether there were others goes to `had_own`.
  std::vector<std::string> read(const std::vector<std::string>& arguments, bool& had_own) {
    std::vector<std::string> theirs;
    for (size_t at = 0; at < arguments.size(); ++at) {
      const std::string& word = arguments[at];
      if (word.starts_with('@')) {
        response_file(word, theirs, had_own);
      } else if (own(word, at + 1 < arguments.size() ? &arguments[at + 1] : nullptr)) {
        had_own = true;
        at += word == kSummaries ? 1 : 0;
      } else {
        theirs.push_back(word);
        if (takes_next(word) && at + 1 < arguments.size()) {
          theirs.push_back(arguments[++at]);
          language(word == "-x" ? theirs.back() : "");
        } else {
          compilers(word);
        }
      }
    }
    return theirs;
  }

  [[nodiscard]] bool links() const { return has_input_ && !stops_ && !precompiles_; }

 private:
  void response_file(const std::string& word, std::vector<std::string>& theirs, bool& had_own) {
    std::optional<std::string> text;
    if (depth_ < kDeepest) {
      text = read_file(word.substr(1));
    }
    bool inner_own = false;
    std::vector<std::string> inner;
    if (text) {
      ++depth_;
      inner = read(response_words(*text), inner_own);
      --depth_;
    }
    if (inner_own) {
      had_own = true;
      theirs.insert(theirs.end(), inner.begin(), inner.end());
    } else {
      theirs.push_back(word);
    }
  }

  /// Takes an option of our own.
  bool own(const std::string& word, const std::string* next) {
    if (word == "-m") {
      request_.explain = "1";
    } else if (word.starts_with("-m=")) {
      request_.explain = word.substr(3);
      if (word != "-m=1" && word != "-m=2" && word != "-m=json") {
        request_.wrong = word + ": write -m, -m=2 or -m=json";
      }
    } else if (word == "--barriers") {
      request_.barriers = true;
    } else if (word == "--elide-new") {
      request_.elide_new = true;
    } else if (word == kSummaries && next != nullptr) {
      summaries(*next);
    } else if (word.starts_with(kSummaries) &&
               (word.size() == kSummaries.size() || word[kSummaries.size()] == '=')) {
      summaries(word.substr(std::min(word.size(), kSummaries.size() + 1)));
    } else {
      return false;
    }
    return true;
  }

  void summaries(const std::string& file) {
    if (file.empty()) {
      request_.wrong = "--summaries: name an object or an archive, as in --summaries=other.o";
    }
    request_.summaries.push_back(file);
  }

  /// Notes what matters here of an option or an input of the compiler's.
  void compilers(const std::string& word) {
    if (word.starts_with("-x") && word.size() > 2) {
      language(word.substr(2));
    } else if (!word.starts_with('-') || word == "-") {
      has_input_ = true;
      precompiles_ |= language_.empty() ? is_header(word) : language_.ends_with("-header");
      request_.only_cxx &= language_.empty() || is_cxx(language_);
    }
    stops_ |= stops_before_linking(word);
    request_.archives_only |= word == "-static";
    request_.lto = word.starts_with("-flto") || (request_.lto && word != "-fno-lto");
    if (word.starts_with("-g")) {
      request_.debug_info = word != "-g0";
    }
    if (word.starts_with("-O")) {
      request_.optimised = word != "-O0";
    }
  }

  void language(const std::string& name) {
    if (!name.empty()) {
      language_ = name == "none" ? "" : name;
    }
  }

  /// Whether clang takes a C++ standard for it: assembly and LLVM's own have none.
  static bool is_cxx(std::string_view language) {
    return language.find("c++") != std::string_view::npos || language.starts_with("assembler") ||
           language == "ir";
  }

  CxxRequest& request_;
  std::string language_;  ///< by -x
  bool has_input_ = false, stops_ = false, precompiles_ = false;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> response_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      word += text[++at];
      inside = true;
    } else if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
      quote = quote != 0 ? '\0' : c;
      inside = true;
    } else if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (inside) {
        words.push_back(std::move(word));
        word.clear();
        inside = false;
      }
    } else {
      word += c;
      inside = true;
    }
  }
  if (inside) {
    words.push_back(std::move(word));
  }
  return words;
}

CxxRequest read_cxx_request(const std::vector<std::string>& arguments) {
  CxxRequest request;
  Reader reader(request);
  bool had_own = false;
  request.rest = reader.read(arguments, had_own);
  request.links = reader.links();
  return request;
}

}  // namespace burrow::cmd
