// Stacks that are not the thread's own, and stacks with holes: what lies on them is a root, and no
// scan leaves them.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "burrow/chan.h"
#include "burrow/gc.h"
#include "burrow/go.h"
#include "burrow/memstats.h"
#include "burrow/stack.h"
#include "roots.h"
#ifdef BURROW_TEST_FAULTS
#include "gc/faults.h"
#endif

namespace {

using roots::collect_elsewhere;
using roots::lives;
using roots::put;
using roots::Thing;

constexpr size_t kPage = 4096;
constexpr size_t kStack = 256 * 1024;

// Memory with a page of no access on both sides.
class Fenced {
 public:
  explicit Fenced(size_t bytes, int flags = 0) : bytes_(bytes + 2 * kPage) {
    base_ = static_cast<char*>(
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0));
    mprotect(base_, kPage, PROT_NONE);
    mprotect(base_ + bytes_ - kPage, kPage, PROT_NONE);
  }

  ~Fenced() { munmap(base_, bytes_); }

  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  [[nodiscard]] char* get() const { return base_ + kPage; }

  [[nodiscard]] size_t bytes() const { return bytes_ - 2 * kPage; }

 private:
  size_t bytes_;
  char* base_;
};

// A coroutine as ucontext has them. Its objects lie on the stack that it was given.
class Coroutine {
 public:
  Coroutine(void* stack, size_t bytes) {
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack;
    inside_.uc_stack.ss_size = bytes;
    inside_.uc_link = nullptr;
    auto self = reinterpret_cast<uintptr_t>(this);
    makecontext(&inside_, reinterpret_cast<void (*)()>(start), 2, static_cast<unsigned>(self),
                static_cast<unsigned>(self >> 32));
  }

  // Runs it until it waits, or to its end.
  void resume() { swapcontext(&outside_, &inside_); }

  bool collects = false;                  ///< while it runs, instead of waiting
  std::optional<burrow::Chan<int>> wait;  ///< it parks on this instead
  bool lived = false;

 private:
  static void start(unsigned low, unsigned high) {
    auto* self = reinterpret_cast<Coroutine*>(uintptr_t{high} << 32 | low);
    self->body();
    swapcontext(&self->inside_, &self->outside_);
  }

  void body() {
    Thing* volatile local = nullptr;
    put(const_cast<Thing**>(&local));
    if (collects) {
      collect_elsewhere();
    } else if (wait) {
      (void)wait->recv();
    } else {
      swapcontext(&inside_, &outside_);
    }
    lived = lives(local);
  }

  ucontext_t inside_{};
  ucontext_t outside_{};
};

bool g_handler_lived = false;

void collect_in_handler(int /*signal*/) {
  Thing* volatile local = nullptr;
  put(const_cast<Thing**>(&local));
  collect_elsewhere();
  g_handler_lived = lives(local);
}

void handle_on_own_stack(int signal) {
  struct sigaction action{};
  action.sa_handler = collect_in_handler;
  action.sa_flags = SA_ONSTACK;
  sigaction(signal, &action, nullptr);
}

// With a handler on `stack`, while the interrupted frames have an object of their own.
[[gnu::noinline]] bool signal_on(char* stack, size_t bytes) {
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = bytes;
  sigaltstack(&alternate, nullptr);
  handle_on_own_stack(SIGUSR2);
  constexpr int kLocals = 64;
  void* locals[kLocals];
  roots::put_row(locals, kLocals);
  g_handler_lived = false;
  raise(SIGUSR2);
  alternate.ss_flags = SS_DISABLE;
  sigaltstack(&alternate, nullptr);
  return roots::kept_row(locals, kLocals);
}

TEST(SignalStack, OfAMappingWithAHoleAboveIt) {
  burrow::make<int>(1);
  Fenced memory(kStack);
  EXPECT_TRUE(signal_on(memory.get(), kStack));
  EXPECT_TRUE(g_handler_lived);
}

TEST(SignalStack, OnAThread) {
  Fenced memory(kStack);
  bool lived = false;
  std::thread([&] { lived = signal_on(memory.get(), kStack); }).join();
  EXPECT_TRUE(lived);
  EXPECT_TRUE(g_handler_lived);
}

TEST(SignalStack, OfABlock) {
  auto* block = static_cast<char*>(malloc(kStack));
  EXPECT_TRUE(signal_on(block, kStack));
  EXPECT_TRUE(g_handler_lived);
  free(block);
}

TEST(SignalStack, InGlobals) {
  alignas(16) static char room[kStack];
  EXPECT_TRUE(signal_on(room, kStack));
  EXPECT_TRUE(g_handler_lived);
}

// A signal stack as a local array: the interrupted calls lie below it, on the same stack.
TEST(SignalStack, InsideTheThreadsOwn) {
  alignas(16) char room[kStack];
  EXPECT_TRUE(signal_on(room, kStack));
  EXPECT_TRUE(g_handler_lived);
}

TEST(SignalStack, InsideAGoroutines) {
  bool lived = false;
  EXPECT_EQ(burrow::run([&] {
              alignas(16) char room[kStack];
              lived = signal_on(room, kStack);
              return 0;
            }),
            0);
  EXPECT_TRUE(lived);
  EXPECT_TRUE(g_handler_lived);
}

TEST(SignalStack, OfAGoroutine) {
  bool lived = false;
  EXPECT_EQ(burrow::run([&] {
              handle_on_own_stack(SIGUSR2);
              Thing* volatile local = nullptr;
              put(const_cast<Thing**>(&local));
              raise(SIGUSR2);
              lived = lives(local);
              return 0;
            }),
            0);
  EXPECT_TRUE(lived);
  EXPECT_TRUE(g_handler_lived);
}

#ifdef BURROW_TEST_FAULTS
TEST(SignalStack, TheTestWouldNoticeThatTheThreadsOwnIsPassedBy) {
  Fenced memory(kStack);
  alignas(16) char room[kStack];
  burrow::gc::g_faults.own_stack_only = true;
  EXPECT_FALSE(signal_on(memory.get(), kStack));
  EXPECT_FALSE(signal_on(room, kStack));
  burrow::gc::g_faults.own_stack_only = false;
  EXPECT_TRUE(signal_on(memory.get(), kStack));
}
#endif

// On it while the world is stopped, with an object on the thread's own stack besides.
[[gnu::noinline]] bool run_on(void* stack, size_t bytes) {
  Thing* volatile local = nullptr;
  put(const_cast<Thing**>(&local));
  Coroutine coroutine(stack, bytes);
  coroutine.collects = true;
  coroutine.resume();
  return lives(local) && coroutine.lived;
}

TEST(Coroutines, OnAMapping) {
  Fenced memory(kStack);
  EXPECT_TRUE(run_on(memory.get(), kStack));
}

TEST(Coroutines, OnAMappingThatGrows) {
  Fenced memory(kStack, MAP_GROWSDOWN | MAP_STACK);
  EXPECT_TRUE(run_on(memory.get(), kStack));
}

TEST(Coroutines, OnABlock) {
  void* block = malloc(kStack);
  EXPECT_TRUE(run_on(block, kStack));
  Coroutine waits(block, kStack);
  waits.resume();
  collect_elsewhere();
  waits.resume();
  EXPECT_TRUE(waits.lived);
  free(block);
}

TEST(Coroutines, OnABlockWithAGuardPage) {
  void* block = nullptr;
  ASSERT_EQ(posix_memalign(&block, kPage, kStack), 0);
  ASSERT_EQ(mprotect(block, kPage, PROT_NONE), 0);
  EXPECT_TRUE(run_on(block, kStack));
  ASSERT_EQ(mprotect(block, kPage, PROT_READ | PROT_WRITE), 0);
  free(block);
}

TEST(Coroutines, OnACollectedArray) {
  char* array = burrow::make_array<char>(kStack);
  EXPECT_TRUE(run_on(array, kStack));
}

TEST(Coroutines, OnAGoroutine) {
  Fenced memory(kStack);
  bool lived = false;
  EXPECT_EQ(burrow::run([&] {
              lived = run_on(memory.get(), kStack);
              return 0;
            }),
            0);
  EXPECT_TRUE(lived);
}

// A goroutine that parks on a coroutine's stack, while it has calls on its own.
[[gnu::noinline]] bool park_on(void* stack, size_t bytes, burrow::Chan<int> wait) {
  constexpr int kLocals = 64;
  void* locals[kLocals];
  roots::put_row(locals, kLocals);
  Coroutine coroutine(stack, bytes);
  coroutine.wait = wait;
  coroutine.resume();
  return roots::kept_row(locals, kLocals) && coroutine.lived;
}

// True when the objects of such a goroutine live through collections and trims.
bool parks_on(void* stack, size_t bytes) {
  bool lived = false;
  EXPECT_EQ(burrow::run([&] {
              burrow::Chan<int> wait;
              burrow::WaitGroup group;
              group.go([&] { lived = park_on(stack, bytes, wait); });
              burrow::sleep_for(std::chrono::milliseconds(20));
              collect_elsewhere();
              burrow::trim_stacks();
              wait.send(1);
              group.wait();
              return 0;
            }),
            0);
  return lived;
}

TEST(Coroutines, OnWhichAGoroutineParks) {
  Fenced memory(kStack);
  EXPECT_TRUE(parks_on(memory.get(), kStack));
  void* block = malloc(kStack);
  EXPECT_TRUE(parks_on(block, kStack));
  free(block);
  EXPECT_TRUE(parks_on(burrow::make_array<char>(kStack), kStack));
}

#ifdef BURROW_TEST_FAULTS
TEST(Coroutines, TheTestWouldNoticeThatAParkedGoroutinesOwnStackIsPassedBy) {
  Fenced memory(kStack);
  burrow::gc::g_faults.own_stack_only = true;
  EXPECT_FALSE(parks_on(memory.get(), kStack));
  burrow::gc::g_faults.own_stack_only = false;
}
#endif

TEST(Coroutines, ThatWaitInMappedMemoryAreRootsOnceAdded) {
  Fenced memory(kStack);
  burrow::add_roots(memory.get(), kStack);
  Coroutine waits(memory.get(), kStack);
  waits.resume();
  roots::wipe_stack();
  collect_elsewhere();
  waits.resume();
  EXPECT_TRUE(waits.lived);
  EXPECT_TRUE(burrow::remove_roots(memory.get()));
  EXPECT_FALSE(burrow::remove_roots(memory.get()));
}

// Of a stack in malloc'd memory the rest of its block is a root, and not what lies behind.
TEST(Coroutines, EndWithTheirBlock) {
  struct Blocks {
    std::vector<void*> all;
    burrow::Weak<Thing> weak;
  } blocks;

  void* stack = malloc(kStack);
  [&]() __attribute__((noinline)) {
    Thing* thing = roots::fresh();
    blocks.weak = burrow::Weak<Thing>(thing);
    // Wherever the heap puts them, some lie behind it.
    for (int i = 0; i < 64; ++i) {
      auto** words = static_cast<Thing**>(malloc(kStack));
      std::fill_n(words, kStack / sizeof(Thing*), thing);
      ASSERT_TRUE(burrow::declare_pointer_free(words));
      blocks.all.push_back(words);
    }
  }();
  roots::wipe_stack();
  bool gone = false;
  std::thread([&] {
    Coroutine coroutine(stack, kStack);
    coroutine.collects = true;
    coroutine.resume();
    gone = blocks.weak.get() == nullptr;
  }).join();
  EXPECT_TRUE(gone);
  for (void* block : blocks.all) {
    free(block);
  }
  free(stack);
}

// A thread on a stack that the program brought.
void thread_on(char* stack, size_t bytes) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstack(&attributes, stack, bytes), 0);
  pthread_t thread;
  bool lived = false;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* result) -> void* {
                  Thing* volatile local = nullptr;
                  put(const_cast<Thing**>(&local));
                  collect_elsewhere();
                  *static_cast<bool*>(result) = lives(local);
                  return nullptr;
                },
                &lived),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_TRUE(lived);
}

TEST(Threads, OnStacksOfTheProgram) {
  Fenced memory(kStack);
  thread_on(memory.get(), kStack);
  void* block = nullptr;
  ASSERT_EQ(posix_memalign(&block, kPage, kStack), 0);
  thread_on(static_cast<char*>(block), kStack);
  free(block);
}

TEST(Threads, WithoutAGuardAndWithALargeStack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setguardsize(&attributes, 0);
  pthread_attr_setstacksize(&attributes, size_t{1} << 30);
  pthread_t thread;
  bool lived = false;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* result) -> void* {
                  Thing* volatile local = nullptr;
                  put(const_cast<Thing**>(&local));
                  volatile char deep[64 << 20];  // further from the end than a stack usually goes
                  deep[0] = 1;
                  collect_elsewhere();
                  *static_cast<bool*>(result) = lives(local) && deep[0] == 1;
                  return nullptr;
                },
                &lived),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_TRUE(lived);
}

TEST(Threads, WithAPageOfTheirStackWithoutAccess) {
  alignas(kPage) volatile char pages[3 * kPage];
  Thing* volatile local = nullptr;
  put(const_cast<Thing**>(&local));
  auto* middle = const_cast<char*>(pages) + kPage;
  ASSERT_EQ(mprotect(middle, kPage, PROT_NONE), 0);
  collect_elsewhere();
  ASSERT_EQ(mprotect(middle, kPage, PROT_READ | PROT_WRITE), 0);
  EXPECT_TRUE(lives(local));
}

TEST(Threads, GoroutinesWithAPageOfTheirStackWithoutAccess) {
  bool lived = false;
  EXPECT_EQ(burrow::run([&] {
              alignas(kPage) volatile char pages[3 * kPage];
              Thing* volatile local = nullptr;
              put(const_cast<Thing**>(&local));
              auto* middle = const_cast<char*>(pages) + kPage;
              mprotect(middle, kPage, PROT_NONE);
              burrow::go([] { burrow::collect(); });
              burrow::yield();
              collect_elsewhere();
              mprotect(middle, kPage, PROT_READ | PROT_WRITE);
              lived = lives(local);
              return 0;
            }),
            0);
  EXPECT_TRUE(lived);
}

TEST(Figures, CountTheStacksOfGoroutines) {
  constexpr int kGoroutines = 1000;
  EXPECT_EQ(burrow::run([] {
              burrow::Chan<int> wait;
              for (int i = 0; i < kGoroutines; ++i) {
                burrow::go([wait] { (void)wait.recv(); });
              }
              while (burrow::num_goroutine() < kGoroutines + 1) {
                burrow::yield();
              }
              for (int i = 0; i < 10; ++i) {
                burrow::yield();
              }
              burrow::MemStats stats = burrow::read_mem_stats();
              EXPECT_GE(stats.stack_inuse, kGoroutines * kPage);
              EXPECT_GE(stats.stack_sys, stats.stack_inuse);
              EXPECT_GE(stats.sys, stats.heap_sys + stats.stack_sys);
              wait.close();
              return 0;
            }),
            0);
}

// 300 MB deep, where the first thread may go that far (ulimit -s unlimited).
[[gnu::noinline]] bool descend(int levels) {
  volatile char frame[1 << 20];
  frame[0] = 1;
  Thing* volatile local = nullptr;
  if (levels % 100 == 0) {
    put(const_cast<Thing**>(&local));
  }
  bool good = true;
  if (levels == 0) {
    collect_elsewhere();
  } else {
    good = descend(levels - 1);
  }
  return good && frame[0] == 1 && (levels % 100 != 0 || lives(local));
}

TEST(Threads, FirstWithAnEndlessStack) {
  struct rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_cur != RLIM_INFINITY) {
    GTEST_SKIP() << "needs ulimit -s unlimited";
  }
  EXPECT_TRUE(descend(300));
}

}  // namespace
