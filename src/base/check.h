// CHECK, DCHECK and fatal: how a broken invariant ends the program. See base.h.
#pragma once

#include <string_view>

#include "base/annotations.h"
#include "base/printer.h"

namespace burrow {

/// Writes "burrow: fatal: MESSAGE" and a newline to standard error in one write, then aborts.
/// Never allocates; may be called under any lock and in a signal handler.
[[noreturn]] void fatal_message(std::string_view message);

/// Called by `fatal_message` after its line is printed and before it aborts, once: the place for
/// a stack trace. Null by default. Must not allocate.
void set_fatal_hook(void (*hook)());

/// Ends the program with the parts printed one after the other: fatal("free of ", Hex(p)).
template <typename... Parts>
[[noreturn]] BURROW_NOINLINE void fatal(const Parts&... parts) {
  FixedPrinter<640> out;
  (out << ... << parts);
  fatal_message(out.text());
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace burrow

/// Ends the program when the condition does not hold. Always on.
#define CHECK(condition)                                      \
  do {                                                        \
    if (BURROW_UNLIKELY(!(condition))) {                      \
      ::burrow::check_failed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)

/// As CHECK, in debug builds only; the condition is compiled in every build.
#ifdef NDEBUG
#define DCHECK(condition) \
  do {                    \
    if (false) {          \
      CHECK(condition);   \
    }                     \
  } while (false)
#else
#define DCHECK(condition) CHECK(condition)
#endif
