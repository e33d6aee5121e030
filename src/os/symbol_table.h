// The C library's symbol table in memory, for libraries that look there first (RTLD_DEEPBIND).
#pragma once

#include <span>

namespace burrow::os {

/// A function of the C library's, and what its name is to lead to.
struct Redirection {
  const char* name;
  void* to;
};

/// Makes the names lead elsewhere in whatever is bound from now on, also by dlsym. False when the
/// table cannot be found or written; some names may lead elsewhere then.
[[nodiscard]] bool redirect_c_library(std::span<const Redirection> redirections);

}  // namespace burrow::os
