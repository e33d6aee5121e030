// What a program and a library that it opens both know. See any_test.cc.
#pragma once

#include <string>

#include "burrow/any.h"
#include "burrow/chan.h"
#include "burrow/pool.h"

namespace shared_test {

struct Shared {
  int a = 0;
  int b = 0;
  int c = 0;

  bool operator==(const Shared&) const = default;
};

}  // namespace shared_test
