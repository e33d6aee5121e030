// One libburrow.so under a program and a library that is opened late with RTLD_LOCAL, each with its
// own instances of what the headers define, with and without hidden visibility.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "any_plugin.h"

namespace shared_test {
namespace {

using burrow::Any;

// A type of the same name as one of the library's, and another type all the same.
struct Private {
  int value;

  bool operator==(const Private&) const = default;
};

class Plugin : public testing::Test {
 protected:
  Plugin() : library_(dlopen(BURROW_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL)) {}

  void SetUp() override { ASSERT_NE(library_, nullptr) << dlerror(); }

  template <class R>
  R call(const char* name) {
    return reinterpret_cast<R (*)()>(dlsym(library_, name))();
  }

 private:
  void* library_;  // never closed: types of its values live there
};

TEST_F(Plugin, ValuesHaveTheTypesOfTheHost) {
  Any a = call<Any>("plugin_int");
  ASSERT_NE(a.try_as<int>(), nullptr);
  EXPECT_EQ(a.as<int>(), 42);
  EXPECT_EQ(a.try_as<unsigned>(), nullptr);
  EXPECT_EQ(a, Any(42));
  EXPECT_EQ(*a.type(), *burrow::type_of<int>());
  a = call<Any>("plugin_text");
  EXPECT_EQ(a.as<std::string>(), "a text that is long enough for a block of its own");
  EXPECT_EQ(a, call<Any>("plugin_text"));
  a = call<Any>("plugin_shared");
  EXPECT_EQ(a, Any(Shared{7, 8, 9}));
  EXPECT_EQ(a.as<Shared>().b, 8);
  EXPECT_THROW((void)a.as<int>(), burrow::BadAny);
}

TEST_F(Plugin, TypesOfItsOwnAreNoOthers) {
  Any a = call<Any>("plugin_private");
  EXPECT_EQ(a.try_as<Private>(), nullptr);
  EXPECT_NE(a, Any(Private{5}));
  EXPECT_EQ(a, call<Any>("plugin_private"));

  struct Local {
    int value;
  };

  EXPECT_EQ(call<Any>("plugin_local").try_as<Local>(), nullptr);
}

TEST_F(Plugin, PoolsAndChannelsWorkOnBothSides) {
  EXPECT_TRUE(call<bool>("plugin_pools"));
  burrow::Pool<Shared> pool([] { return burrow::make<Shared>(); });
  pool.put(pool.get());
  burrow::Chan<Shared> chan = call<burrow::Chan<Shared>>("plugin_chan");
  EXPECT_TRUE(chan.try_send(Shared{1, 2, 3}));
  EXPECT_EQ(chan.recv()->c, 3);
}

}  // namespace
}  // namespace shared_test
