// Which function a name leads to, and the C library's symbol table in memory, for libraries that
// look there first (RTLD_DEEPBIND).
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

/// The function that the program's calls of this name reach; null without one. dlsym gives the
/// address that the program takes of it, which is not the same: in a program that is linked to a
/// fixed address it may be the program's own jump to the function. Allocates nothing if there is
/// such a function.
[[nodiscard]] void* bound_function(const char* name);

}  // namespace burrow::os
