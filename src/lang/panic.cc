// Panics of the runtime. See burrow/internal/panic.h.
#include "burrow/internal/panic.h"

#include <array>

#include "base/annotations.h"
#include "base/printer.h"
#include "sched/park.h"

namespace burrow::internal {
namespace {

// A negative number that was given for a size_t, as the caller wrote it.
void print_bound(Printer& out, size_t bound) {
  if (bound > PTRDIFF_MAX) {
    out << '-' << -bound;
  } else {
    out << bound;
  }
}

// What stands around the bound in Go's messages; `both`: the other bound too, otherwise the
// capacity comes behind.
struct BoundText {
  const char* before;
  const char* between;
  bool both;
  const char* after;
};

// In the order of BadBound.
constexpr std::array<BoundText, 5> kBoundTexts{{
    {":", "", false, ""},
    {"", ":", true, ""},
    {"::", "", false, ""},
    {":", ":", true, ""},
    {"", ":", true, ":"},
}};

}  // namespace

BURROW_EXPORT void panic_runtime(std::string_view message) {
  FixedPrinter<1024> out;
  out << "runtime error: " << message;
  sched::panic(out.text());
}

BURROW_EXPORT void panic_index(size_t index, size_t length) {
  FixedPrinter<256> out;
  out << "runtime error: index out of range [";
  print_bound(out, index);
  out << ']';
  if (index <= PTRDIFF_MAX) {
    out << " with length " << length;
  }
  sched::panic(out.text());
}

BURROW_EXPORT void panic_bounds(BadBound which, size_t bound, size_t other) {
  const BoundText& text = kBoundTexts[static_cast<size_t>(which)];
  bool negative = bound > PTRDIFF_MAX;
  FixedPrinter<256> out;
  out << "runtime error: slice bounds out of range [" << text.before;
  print_bound(out, bound);
  out << text.between;
  if (text.both && !negative) {
    out << other;
  }
  out << text.after << ']';
  if (!text.both && !negative) {
    out << " with capacity " << other;
  }
  sched::panic(out.text());
}

}  // namespace burrow::internal
