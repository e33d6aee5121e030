// Threads that take no signal hold what they hold; where the world cannot be stopped, the program
// goes on. Planted faults show that it would be noticed.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "burrow/gc.h"
#include "gc/stops.h"
#include "os/stop.h"
#include "pipe.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kValue = 0x600df00d;

struct Node {
  Node* next = nullptr;
  uint64_t value = 0;
};

void sleep_ms(int ms) {
  std::this_thread::sleep_for(milliseconds(ms));
}

void await(const std::atomic<bool>& flag) {
  while (!flag) {
    sleep_ms(1);
  }
}

void make_many() {
  for (int k = 0; k < 20000; ++k) {
    make<Node>()->value = 1;
  }
}

void collect_and_reuse() {
  for (int i = 0; i < 3; ++i) {
    collect();
    make_many();
  }
}

// A collection finds most of what a thread has left behind.
bool collects() {
  constexpr size_t kMany = 50;
  std::vector<Weak<Node>> weak;
  std::thread([&] {
    for (size_t i = 0; i < kMany; ++i) {
      weak.emplace_back(make<Node>());
    }
  }).join();
  collect();
  size_t left = 0;
  for (const Weak<Node>& node : weak) {
    left += node.get() != nullptr ? 1 : 0;
  }
  return left < kMany / 2;
}

// As a library does that calls the kernel itself.
void block_by_system_call() {
  uint64_t all = ~uint64_t{0};
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
}

// Where a thread has an object's address while it sleeps, and nowhere else.
enum class Place : uint8_t { kStack, kCalleeSaved, kVector };

// Sleeps in a system call of its own. The address is complemented outside of the given place.
__attribute__((target("avx"), noinline)) uintptr_t sleep_holding(uintptr_t hidden, Place place,
                                                                 int fd) {
  char byte = 0;
  long number = SYS_read;
  switch (place) {
    case Place::kStack: {
      volatile uintptr_t kept = ~hidden;
      (void)!syscall(SYS_read, fd, &byte, 1);
      return kept;
    }
    case Place::kCalleeSaved:
      asm volatile(
          "mov %[hidden], %%r12\n\tnot %%r12\n\t"
          "syscall\n\t"
          "mov %%r12, %[hidden]\n\txor %%r12, %%r12"
          : [hidden] "+r"(hidden), "+a"(number)
          : "D"(fd), "S"(&byte), "d"(1)
          : "rcx", "r11", "r12", "memory");
      return hidden;
    case Place::kVector:
      asm volatile(
          "not %[hidden]\n\tvmovq %[hidden], %%xmm5\n\tvinsertf128 $1, %%xmm5, %%ymm5, %%ymm5\n\t"
          "vpxor %%xmm6, %%xmm6, %%xmm6\n\tvblendps $15, %%ymm6, %%ymm5, %%ymm5\n\t"
          "xor %[hidden], %[hidden]\n\t"
          "syscall\n\t"
          "vextractf128 $1, %%ymm5, %%xmm5\n\tvmovq %%xmm5, %[hidden]\n\tvzeroall"
          : [hidden] "+r"(hidden), "+a"(number)
          : "D"(fd), "S"(&byte), "d"(1)
          : "rcx", "r11", "xmm5", "xmm6", "memory");
      return hidden;
  }
  return 0;
}

// Of this many objects, how many stay that a thread holds in the given place while it sleeps with
// all signals blocked.
constexpr int kMany = 10;

int stay(Place place) {
  int stayed = 0;
  for (int i = 0; i < kMany; ++i) {
    Pipe pipe;
    std::atomic<uintptr_t> hidden{0};
    std::thread([&] {  // its stack is another's before the collection
      Node* node = make<Node>();
      node->value = kValue;
      hidden = ~reinterpret_cast<uintptr_t>(node);
    })
        .join();
    std::atomic<bool> sleeps{false};
    std::atomic<uint64_t> value{0};
    std::thread sleeper([&] {
      block_by_system_call();
      sleeps = true;
      value = reinterpret_cast<Node*>(sleep_holding(hidden, place, pipe.ends[0]))->value;
    });
    await(sleeps);
    sleep_ms(5);
    collect_and_reuse();
    pipe.give();
    sleeper.join();
    stayed += value == kValue ? 1 : 0;
  }
  return stayed;
}

TEST(Deaf, WhatTheyHoldStays) {
  EXPECT_EQ(stay(Place::kStack), kMany);
  EXPECT_EQ(stay(Place::kCalleeSaved), kMany);
  if (__builtin_cpu_supports("avx")) {
    EXPECT_EQ(stay(Place::kVector), kMany);
  }
}

TEST(Deaf, APlantedFaultLosesWhatIsInRegisters) {
  os::g_stop_faults.no_traced_registers = true;
  EXPECT_LT(stay(Place::kCalleeSaved), kMany / 2);
  if (__builtin_cpu_supports("avx")) {
    EXPECT_LT(stay(Place::kVector), kMany / 2);
  }
  os::g_stop_faults.no_traced_registers = false;
}

// By a plain clone, with the thread_locals of the thread that made it. It knows nothing of libc.
struct Cloned {
  std::atomic<Node*> given{nullptr};
  std::atomic<int> phase{0};
  std::atomic<uint64_t> value{0};
};

int run_cloned(void* raw) {
  auto& cloned = *static_cast<Cloned*>(raw);
  Node* volatile mine = cloned.given.exchange(nullptr);
  cloned.phase = 1;
  while (cloned.phase != 2) {
    __builtin_ia32_pause();
  }
  cloned.value = mine->value;
  cloned.phase = 3;
  for (;;) {
    __builtin_ia32_pause();
    if (cloned.phase == 4) {
      cloned.phase = 5;
      asm volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
    }
  }
}

TEST(Deaf, WhatAPlainCloneHoldsStays) {
  constexpr size_t kBytes = 65536;
  void* stack = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(stack, MAP_FAILED);
  static Cloned cloned;
  std::thread([&] {
    cloned.given = make<Node>(Node{nullptr, kValue});
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    ASSERT_GT(clone(run_cloned, static_cast<char*>(stack) + kBytes, flags, &cloned), 0);
    while (cloned.phase != 1) {
      sleep_ms(1);
    }
    collect_and_reuse();
    cloned.phase = 2;
    while (cloned.phase != 3) {
      sleep_ms(1);
    }
    cloned.phase = 4;
    while (cloned.phase != 5) {
      sleep_ms(1);
    }
    sleep_ms(20);
  }).join();
  EXPECT_EQ(cloned.value, kValue);
  munmap(stack, kBytes);
}

// Counts on a thread of its own, and makes objects meanwhile.
class Progress {
 public:
  Progress()
      : thread_([this] {
          while (!done_) {
            make_many();
            ++count_;
          }
        }) {}

  ~Progress() {
    done_ = true;
    thread_.join();
  }

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Hangs when others are kept stopped.
  void expect() const {
    for (int end = count_ + 20; count_ < end;) {
      sleep_ms(1);
    }
  }

 private:
  std::atomic<bool> done_{false};
  std::atomic<int> count_{0};
  std::thread thread_;
};

// Stops fail in here; a program is told after 200 ms.
class ToldSoon {
 public:
  ToldSoon() : former_(std::exchange(gc::g_tell_after_ns, 200'000'000)) {
    testing::internal::CaptureStderr();
  }

  ~ToldSoon() {
    gc::g_tell_after_ns = former_;
    if (!read_) {
      (void)testing::internal::GetCapturedStderr();
    }
  }

  ToldSoon(const ToldSoon&) = delete;
  ToldSoon& operator=(const ToldSoon&) = delete;

  std::string text() {
    read_ = true;
    return testing::internal::GetCapturedStderr();
  }

 private:
  int64_t former_;
  bool read_ = false;
};

// The program goes on while the world cannot be stopped: `collect` returns, objects are made, a
// fork goes through. Nothing is lost, and it is told why.
void expect_goes_on(const char* why) {
  Node* volatile kept = make<Node>(Node{nullptr, kValue});
  ToldSoon told;
  Progress progress;
  collect();
  progress.expect();
  collect();
  progress.expect();
  pid_t child = fork();
  if (child == 0) {
    collect();
    make_many();
    _exit(kept->value == kValue ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(kept->value, kValue);
  std::string text = told.text();
  EXPECT_NE(text.find("burrow: no garbage collection since"), std::string::npos) << text;
  EXPECT_NE(text.find(why), std::string::npos) << text;
}

TEST(Deaf, RefusedTracingEndsNoProgram) {
  Pipe pipe;
  std::atomic<bool> sleeps{false};
  std::atomic<uint64_t> value{0};
  std::thread sleeper([&] {
    Node* volatile kept = make<Node>(Node{nullptr, kValue});
    block_by_system_call();
    sleeps = true;
    char byte = 0;
    (void)!read(pipe.ends[0], &byte, 1);
    value = kept->value;
  });
  await(sleeps);
  os::g_stop_faults.no_trace = true;
  expect_goes_on("blocks signal 30 (SIGPWR), and the system does not let it be traced");
  pipe.give();
  sleeper.join();
  sleep_ms(300);
  EXPECT_TRUE(collects());
  os::g_stop_faults.no_trace = false;
  EXPECT_EQ(value, kValue);
}

TEST(Deaf, AThreadInVforkHoldsNobodyUp) {
  Pipe pipe;
  std::atomic<bool> forks{false};
  std::thread forker([&] {
    forks = true;
    pid_t child = vfork();
    if (child == 0) {
      char byte = 0;
      (void)!syscall(SYS_read, pipe.ends[0], &byte, 1);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  await(forks);
  sleep_ms(20);
  expect_goes_on("sleeps in the kernel (state D)");
  pipe.give();
  forker.join();
  sleep_ms(300);
  EXPECT_TRUE(collects());
}

TEST(Deaf, WithoutDescriptorsNothingIsFreed) {
  std::thread([] {
    make_many();  // starts the collector
  }).join();
  collect();
  rlimit former{};
  getrlimit(RLIMIT_NOFILE, &former);
  Node* volatile kept = make<Node>(Node{nullptr, kValue});
  {
    ToldSoon told;
    rlimit none{0, former.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    Progress progress;
    collect();
    progress.expect();
    setrlimit(RLIMIT_NOFILE, &former);
    EXPECT_NE(told.text().find("/proc/self/task does not list"), std::string::npos);
  }
  EXPECT_EQ(kept->value, kValue);
  sleep_ms(300);
  EXPECT_TRUE(collects());
}

// Another process stops one thread, as a debugger does.
TEST(Deaf, AThreadThatADebuggerStopsHoldsNobodyUp) {
  std::atomic<pid_t> tid{0};
  std::atomic<bool> done{false};
  std::thread subject([&] {
    tid = static_cast<pid_t>(syscall(SYS_gettid));
    await(done);
  });
  while (tid == 0) {
    sleep_ms(1);
  }
  Pipe attached;
  Pipe end;
  pid_t debugger = fork();
  if (debugger == 0) {
    bool stopped = syscall(SYS_ptrace, 0x4206 /* SEIZE */, tid.load(), 0, 0) == 0 &&
                   syscall(SYS_ptrace, 0x4207 /* INTERRUPT */, tid.load(), 0, 0) == 0 &&
                   waitpid(tid, nullptr, __WALL) == tid;
    attached.give();
    char byte = 0;
    (void)!read(end.ends[0], &byte, 1);
    _exit(stopped ? 0 : 77);
  }
  char byte = 0;
  ASSERT_EQ(read(attached.ends[0], &byte, 1), 1);
  expect_goes_on("is held by a debugger");
  end.give();
  int status = -1;
  ASSERT_EQ(waitpid(debugger, &status, 0), debugger);
  EXPECT_EQ(status, 0);
  done = true;
  subject.join();
  sleep_ms(300);
  EXPECT_TRUE(collects());
}

}  // namespace
}  // namespace burrow
