// Threads that block signals or sleep within calls that do, and goroutines: their stacks are looked
// through like any other.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "burrow/chan.h"
#include "burrow/gc.h"
#include "burrow/go.h"
#include "gc/collector.h"
#include "os/stop.h"

namespace burrow {
namespace {

constexpr uint64_t kValue = 0x600df00d;

struct Node {
  Node* next = nullptr;
  uint64_t value = 0;
};

// What a freed node would be given to.
void collect_and_reuse() {
  for (int i = 0; i < 3; ++i) {
    collect();
    for (int k = 0; k < 20000; ++k) {
      make<Node>()->value = 1;
    }
  }
}

sigset_t every_signal() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

// A thread whose stack alone has a pointer sleeps in `sleep` while others collect; then `wake` ends
// its sleep.
void expect_kept(const std::function<void()>& sleep, const std::function<void(pthread_t)>& wake) {
  std::atomic<bool> sleeps{false};
  std::atomic<uint64_t> value{0};
  std::thread sleeper([&] {
    Node* volatile kept = make<Node>();
    kept->value = kValue;
    sleeps = true;
    sleep();
    value = kept->value;
  });
  while (!sleeps) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // or it is looked through on its way
  collect_and_reuse();
  wake(sleeper.native_handle());
  sleeper.join();
  EXPECT_EQ(value, kValue);
}

TEST(Strands, ThatBlockAllSignalsAreSeen) {
  std::atomic<int> pipe_ends[2];
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  pipe_ends[0] = ends[0];
  for (bool thread_call : {true, false}) {
    expect_kept(
        [&] {
          sigset_t all = every_signal();
          ASSERT_EQ(thread_call ? pthread_sigmask(SIG_SETMASK, &all, nullptr)
                                : sigprocmask(SIG_BLOCK, &all, nullptr),
                    0);
          char byte = 0;
          ASSERT_EQ(read(pipe_ends[0], &byte, 1), 1);
        },
        [&](pthread_t) { ASSERT_EQ(write(ends[1], "x", 1), 1); });
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(Strands, ThatSleepWithAllSignalsBlockedAreSeen) {
  sigset_t all = every_signal();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int epoll = epoll_create1(0);
  epoll_event event{EPOLLIN, {}};
  ASSERT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
  std::function<void()> sleeps[] = {
      [&] {
        pollfd polled{ends[0], POLLIN, 0};
        timespec minute{60, 0};
        ASSERT_EQ(ppoll(&polled, 1, &minute, &all), 1);
        ASSERT_EQ(minute.tv_sec, 60);
      },
      [&] {
        fd_set in;
        FD_ZERO(&in);
        FD_SET(ends[0], &in);
        ASSERT_EQ(pselect(ends[0] + 1, &in, nullptr, nullptr, nullptr, &all), 1);
      },
      [&] {
        epoll_event got;
        ASSERT_EQ(epoll_pwait(epoll, &got, 1, -1, &all), 1);
      },
  };
  for (const auto& sleep : sleeps) {
    expect_kept(
        [&] {
          sleep();
          char byte = 0;
          ASSERT_EQ(read(ends[0], &byte, 1), 1);
        },
        [&](pthread_t) { ASSERT_EQ(write(ends[1], "x", 1), 1); });
  }
  close(epoll);
  close(ends[0]);
  close(ends[1]);
}

TEST(Strands, ThatWaitForOneSignalAreSeen) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  struct sigaction former{};
  sigaction(SIGUSR1, &action, &former);
  expect_kept(
      [&] {
        sigset_t all = every_signal();
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        sigdelset(&all, SIGUSR1);
        static volatile bool woken;
        woken = false;
        struct sigaction wakes{};
        wakes.sa_handler = [](int) { woken = true; };
        sigaction(SIGUSR1, &wakes, nullptr);
        while (!woken) {
          ASSERT_EQ(sigsuspend(&all), -1);
        }
      },
      [](pthread_t thread) { pthread_kill(thread, SIGUSR1); });
  sigaction(SIGUSR1, &former, nullptr);
}

TEST(Strands, MasksSayWhatTheyHold) {
  std::thread([] {
    sigset_t set = every_signal();
    sigset_t former;
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
    ASSERT_EQ(sigprocmask(SIG_BLOCK, nullptr, &former), 0);
    EXPECT_EQ(sigismember(&former, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&former, os::stop_signal()), 0);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    ASSERT_EQ(sigprocmask(SIG_UNBLOCK, &one, &former), 0);
    EXPECT_EQ(sigismember(&former, SIGUSR1), 1);
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &one, &former), 0);
    EXPECT_EQ(sigismember(&former, SIGUSR1), 0);
    EXPECT_EQ(sigismember(&former, SIGUSR2), 1);
    EXPECT_EQ(pthread_sigmask(77, &one, nullptr), EINVAL);
    errno = 0;
    EXPECT_EQ(sigprocmask(77, &one, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
  }).join();
}

TEST(Strands, ParkedGoroutinesKeepThroughManyCycles) {
  constexpr int kMany = 200;
  Chan<int> start;
  WaitGroup parked;
  WaitGroup ended;
  std::atomic<int> whole{0};
  for (int i = 0; i < kMany; ++i) {
    parked.add(1);
    ended.add(1);
    go([&] {
      Node* volatile kept = make<Node>();
      kept->value = kValue;
      parked.done();
      (void)start.recv();
      whole += kept->value == kValue ? 1 : 0;
      ended.done();
    });
  }
  parked.wait();
  for (int i = 0; i < 10; ++i) {
    collect_and_reuse();
  }
  start.close();
  ended.wait();
  EXPECT_EQ(whole, kMany);
}

// The result lies on the stack of a goroutine that waits for it.
TEST(Strands, ResultsStoredOnAParkedStackStay) {
  WaitGroup ended;
  std::atomic<int> whole{0};
  constexpr int kMany = 50;
  for (int i = 0; i < kMany; ++i) {
    ended.add(1);
    go([&] {
      Node* volatile result = nullptr;
      WaitGroup wait;
      wait.add(1);
      go([&] {
        yield();
        Node* node = make<Node>();
        node->value = kValue;
        result = node;
        wait.done();
      });
      wait.wait();
      yield();
      whole += result->value == kValue ? 1 : 0;
      ended.done();
    });
    collect();
  }
  collect_and_reuse();
  ended.wait();
  EXPECT_EQ(whole, kMany);
}

// A computing goroutine never comes to a call of the runtime: it is stopped by a signal.
TEST(Strands, ComputingGoroutinesKeepToo) {
  std::atomic<bool> stop{false};
  std::atomic<bool> runs{false};
  WaitGroup ended;
  ended.add(1);
  uint64_t sum = 0;
  go([&] {
    Node* kept = make<Node>();
    kept->value = 1;
    runs = true;
    while (!stop.load(std::memory_order_relaxed)) {
      sum += kept->value;
    }
    sum = kept->value;
    ended.done();
  });
  while (!runs) {
    std::this_thread::yield();
  }
  collect_and_reuse();
  stop = true;
  ended.wait();
  EXPECT_EQ(sum, 1u);
}

// A thread that computes with an object's address in a vector register, or with zeros there.
class VectorUser {
 public:
  VectorUser() : thread_([this] { run(); }) {}

  ~VectorUser() {
    step_.store(kEnd);
    thread_.join();
  }

  VectorUser(const VectorUser&) = delete;
  VectorUser& operator=(const VectorUser&) = delete;

  /// The address, complemented: it must be in that register only.
  void hold(uintptr_t hidden) {
    hidden_ = hidden;
    go_to(kHold);
  }

  void clear() { go_to(kClear); }

 private:
  enum Step { kNone, kHold, kClear, kEnd };

  void go_to(Step step) {
    step_.store(step);
    while (reached_.load() != step) {
      std::this_thread::yield();
    }
  }

  // No calls in here, and nothing that a compiler would use the upper half of a register for.
  __attribute__((target("avx"))) void run() {
    for (int step = kNone; step != kEnd;) {
      int next = step_.load(std::memory_order_relaxed);
      if (next == step) {
        continue;
      }
      step = next;
      if (step == kHold) {
        asm volatile(
            "not %0\n\tvmovq %0, %%xmm5\n\tvinsertf128 $1, %%xmm5, %%ymm5, %%ymm5\n\t"
            "vpxor %%xmm6, %%xmm6, %%xmm6\n\tvblendps $15, %%ymm6, %%ymm5, %%ymm5\n\t"
            "xor %0, %0"
            : "+r"(hidden_)
            :
            : "xmm5", "xmm6");
      } else if (step == kClear) {
        asm volatile("vzeroall");
      }
      reached_.store(step);
    }
  }

  uintptr_t hidden_ = 0;
  std::atomic<int> step_{kNone};
  std::atomic<int> reached_{kNone};
  std::thread thread_;
};

// As a memcpy leaves them: a pointer may be nowhere else.
TEST(Strands, VectorRegistersKeepAsLongAsTheyHold) {
  if (!__builtin_cpu_supports("avx")) {
    GTEST_SKIP() << "the processor has no AVX";
  }
  constexpr int kMany = 100;  // one may be kept by a stale word
  int kept = 0;
  int left = 0;
  VectorUser user;
  for (int i = 0; i < kMany; ++i) {
    Weak<int> weak;
    std::thread([&] {  // its stack goes with it
      auto* object = make<int>(i);
      make<int>(-1);  // `collect` may have the end of the last one on its stack
      weak = Weak<int>(object);
      user.hold(~reinterpret_cast<uintptr_t>(object));
    })
        .join();
    collect();
    kept += weak.get() != nullptr ? 1 : 0;
    user.clear();
    collect();
    left += weak.get() != nullptr ? 1 : 0;
  }
  EXPECT_EQ(kept, kMany);
  EXPECT_LT(left, kMany / 10);
}

}  // namespace
}  // namespace burrow
