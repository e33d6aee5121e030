// Libraries that come and go, among them ones that are bound past the program (RTLD_DEEPBIND), and
// Burrow's own libraries opened by a program that runs on another heap.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "under_test.h"

// The plugin has one of the same name.
extern "C" __attribute__((visibility("default"))) const char* whose_name() {
  return "the program";
}

namespace heap_abi {
namespace {

struct Plugin {
  explicit Plugin(int flags)
      : handle(dlopen(BURROW_TEST_PLUGIN, flags)),
        allocate(reinterpret_cast<void* (*)(size_t)>(dlsym(handle, "plugin_allocate"))),
        text(reinterpret_cast<char* (*)()>(dlsym(handle, "plugin_text"))),
        release(reinterpret_cast<void (*)(void*)>(dlsym(handle, "plugin_free"))),
        name(reinterpret_cast<const char* (*)()>(dlsym(handle, "plugin_name"))) {}

  void* handle;
  void* (*allocate)(size_t);
  char* (*text)();
  void (*release)(void*);
  const char* (*name)();
};

bool is_all(const char* p, char c, size_t bytes) {
  return std::string(p, bytes) == std::string(bytes, c);
}

// Blocks cross the border both ways, are resized, measured, and freed by other threads.
void exchange(const Plugin& plugin) {
  for (size_t size : {size_t{10}, size_t{100}, size_t{5000}, size_t{100000}, size_t{3} << 20}) {
    auto* p = static_cast<char*>(plugin.allocate(size));
    EXPECT_GE(malloc_usable_size(p), size);
    p = static_cast<char*>(realloc(p, size * 2));
    ASSERT_NE(p, nullptr);
    EXPECT_TRUE(is_all(p, 'p', size));
    free(p);
    free(plugin.allocate(size));
    p = static_cast<char*>(plugin.allocate(size));
    EXPECT_EQ(realloc(p, opaque<size_t>(0)), nullptr);
    p = static_cast<char*>(plugin.allocate(size));
    std::thread([p] { free(p); }).join();
  }
  free(plugin.text());
  for (size_t size : {size_t{10}, size_t{5000}, size_t{100000}, size_t{3} << 20}) {
    plugin.release(malloc(size));
    plugin.release(realloc(plugin.allocate(size), size * 2));
    std::thread([&] { plugin.release(malloc(size)); }).join();
  }
  plugin.release(strdup("a text of the program"));
}

TEST(Dlopen, PluginsComeAndGo) {
  for (int i = 0; i < 200; ++i) {
    Plugin plugin(RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(plugin.handle, nullptr) << dlerror();
    plugin.release(malloc(1000));
    if (i % 20 == 0) {
      exchange(plugin);
    }
    dlclose(plugin.handle);
  }
}

TEST(Dlopen, ManyThreadsOpenAndClose) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) {
        Plugin plugin(RTLD_LAZY);
        free(plugin.text());
        dlclose(plugin.handle);
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
}

// The plugin finds the C library's malloc before the program's, and that must be ours.
TEST(Dlopen, ADeeplyBoundPluginSharesTheHeap) {
  Plugin plugin(RTLD_NOW | RTLD_DEEPBIND);
  ASSERT_NE(plugin.handle, nullptr) << dlerror();
  exchange(plugin);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    free(plugin.allocate(100));
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  // It is bound deeply all the same: its names come first.
  EXPECT_STREQ(plugin.name(), "the plugin");
}

// The first ones to ask for it ask at once. In processes of their own, before any other test.
TEST(DeepBindDeathTest, ManyThreadsAtOnce) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EXIT(
        {
          std::vector<std::thread> threads;
          for (int t = 0; t < 4; ++t) {
            threads.emplace_back([] {
              Plugin plugin(RTLD_LAZY | RTLD_DEEPBIND);
              plugin.release(malloc(100));
              free(plugin.text());
            });
          }
          for (std::thread& t : threads) {
            t.join();
          }
          _exit(0);
        },
        testing::ExitedWithCode(0), "");
  }
}

// The loader looks where the caller's RUNPATH says, as it does without us.
TEST(Dlopen, TheCallersPathCounts) {
  void* opener = dlopen(BURROW_TEST_OPENER, RTLD_NOW);
  ASSERT_NE(opener, nullptr) << dlerror();
  auto open = reinterpret_cast<void* (*)(const char*, int)>(dlsym(opener, "opener_open"));
  ASSERT_EQ(dlopen("abi_plugin.so", RTLD_NOW), nullptr);
  for (int flags : {RTLD_NOW, RTLD_LAZY | RTLD_DEEPBIND}) {
    void* plugin = open("abi_plugin.so", flags);
    ASSERT_NE(plugin, nullptr) << dlerror();
    dlclose(plugin);
  }
}

// Static TLS for a library that comes late is scarce; ours fits.
TEST(Dlopen, BurrowItselfOpensInARunningProgram) {
  for (const char* path : {BURROW_MALLOC_LIBRARY, BURROW_LIBRARY}) {
    void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    auto allocate = reinterpret_cast<void* (*)(size_t)>(dlsym(handle, "malloc"));
    auto release = reinterpret_cast<void (*)(void*)>(dlsym(handle, "free"));
    ASSERT_TRUE(allocate != nullptr && release != nullptr);
    std::thread([&] {
      for (size_t size = 1; size < 200000; size = size * 3 / 2 + 1) {
        void* p = allocate(size);
        memset(p, 1, size);
        release(p);
      }
    }).join();
    release(allocate(100));
    dlclose(handle);
  }
}

}  // namespace
}  // namespace heap_abi
