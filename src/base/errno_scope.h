// Keeps errno over code that may change it. See base.h.
#pragma once

#include <cerrno>

namespace burrow {

/// Puts errno back at the end of a scope.
class ErrnoScope {
 public:
  ErrnoScope() : saved_(errno) {}

  ~ErrnoScope() { errno = saved_; }

  ErrnoScope(const ErrnoScope&) = delete;
  ErrnoScope& operator=(const ErrnoScope&) = delete;

 private:
  int saved_;
};

}  // namespace burrow
