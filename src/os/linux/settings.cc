// Looks for settings that nothing reads. See os/settings.h.
#include "os/settings.h"

#include <algorithm>
#include <charconv>

#include "base/printer.h"
#include "os/os.h"

extern char** environ;

namespace burrow::os {
namespace {

constexpr std::string_view kPrefix = "BURROW_";
// What the project's own tests and benchmarks read.
constexpr std::array<std::string_view, 2> kTests = {"BURROW_TEST_", "BURROW_FUZZ_"};
constexpr size_t kLongest = 24;

/// Insertions, deletions and changes between two words, no longer than kLongest.
size_t distance(std::string_view a, std::string_view b) {
  std::array<size_t, kLongest + 1> row{};
  for (size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

/// The name that may have been meant; empty when none is near.
class Nearest {
 public:
  explicit Nearest(std::string_view wanted) : wanted_(wanted) {}

  void offer(std::string_view name) {
    if (wanted_.size() > kLongest || name.size() > kLongest) {
      return;
    }
    size_t d = distance(wanted_, name);
    if (d < best_) {
      best_ = d;
      name_ = name;
    }
  }

  [[nodiscard]] std::string_view name() const { return name_; }

 private:
  std::string_view wanted_;
  std::string_view name_;
  size_t best_ = 3;  // two mistakes at most
};

void check_option(std::string_view item) {
  size_t equals = item.find('=');
  std::string_view name = item.substr(0, equals);
  const auto* option = std::find_if(kDebugOptions.begin(), kDebugOptions.end(),
                                    [&](const DebugOption& o) { return o.name == name; });
  FixedPrinter<512> out;
  out << "burrow: BURROW_DEBUG: ";
  if (option == kDebugOptions.end()) {
    Nearest nearest(name);
    for (const DebugOption& o : kDebugOptions) {
      nearest.offer(o.name);
    }
    out << "there is no option " << name;
    if (!nearest.name().empty()) {
      out << "; is " << nearest.name() << " meant?";
    }
  } else if (equals == std::string_view::npos) {
    out << name << " has no value; write " << name << "=1";
  } else {
    std::string_view value = item.substr(equals + 1);
    uint64_t number = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    bool is_number = error == std::errc() && end == value.data() + value.size();
    if (option->value == OptionValue::kText || (is_number && number <= 1) ||
        (is_number && option->value == OptionValue::kNumber)) {
      return;
    }
    out << name << "=" << value << " is wrong; write "
        << (option->value == OptionValue::kNumber ? "a number" : "0 or 1");
  }
  out << '\n';
  out.write_to(2);
}

void check_variable(std::string_view name) {
  bool known = std::find(kVariables.begin(), kVariables.end(), name) != kVariables.end();
  bool tests = std::any_of(kTests.begin(), kTests.end(),
                           [&](std::string_view t) { return name.starts_with(t); });
  if (known || tests) {
    return;
  }
  Nearest nearest(name);
  for (std::string_view v : kVariables) {
    nearest.offer(v);
  }
  FixedPrinter<512> out;
  out << "burrow: there is no setting " << name;
  if (!nearest.name().empty()) {
    out << "; is " << nearest.name() << " meant?";
  }
  out << '\n';
  out.write_to(2);
}

}  // namespace

void check_settings() {
  if (secure_execution()) {
    return;
  }
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    std::string_view item(*e);
    if (item.starts_with(kPrefix)) {
      check_variable(item.substr(0, item.find('=')));
    }
  }
  const char* text = env("BURROW_DEBUG");
  std::string_view rest = text == nullptr ? std::string_view() : std::string_view(text);
  while (!rest.empty()) {
    std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    if (!item.empty()) {
      check_option(item);
    }
  }
}

}  // namespace burrow::os
