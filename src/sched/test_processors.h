// What the tests of this layer share: waiting without channels, and a number of processors.
#pragma once

#include <chrono>

#include "burrow/go.h"

namespace burrow {

/// Waits on a goroutine or a plain thread until `done`, for tests that cannot use channels. False:
/// it took so long that it will not come.
template <typename F>
bool eventually(F done) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    yield();
  }
  return true;
}

/// Sets the number of processors for a scope.
class Processors {
 public:
  explicit Processors(int count) : former_(set_processors(count)) {}

  ~Processors() { set_processors(former_); }

  Processors(const Processors&) = delete;
  Processors& operator=(const Processors&) = delete;

 private:
  int former_;
};

}  // namespace burrow
