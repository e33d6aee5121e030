// A library that is opened late, with types of its own and types that the host has too. See
// any_test.cc.
#include "any_plugin.h"

namespace shared_test {
namespace {

struct Private {
  int value;

  bool operator==(const Private&) const = default;
};

}  // namespace
}  // namespace shared_test

using burrow::Any;

// By dlsym, whatever the visibility.
#pragma GCC visibility push(default)

extern "C" {

Any plugin_int() {
  return 42;
}

Any plugin_text() {
  return std::string("a text that is long enough for a block of its own");
}

Any plugin_shared() {
  return shared_test::Shared{7, 8, 9};
}

Any plugin_private() {
  return shared_test::Private{5};
}

Any plugin_local() {
  struct Local {
    int value;
  };

  return Local{6};
}

// What a pool made here, and is destroyed here.
bool plugin_pools() {
  burrow::Pool<shared_test::Shared> pool([] { return burrow::make<shared_test::Shared>(); });
  pool.put(pool.get());
  return pool.get() != nullptr;
}

burrow::Chan<shared_test::Shared> plugin_chan() {
  return burrow::Chan<shared_test::Shared>(1);
}
}
