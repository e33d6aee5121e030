// Programs that use signals in their own way, and threads that take none: nothing is swallowed, and
// what they hold stays. By the public interface alone.
#include <aio.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "pipe.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint64_t kValue = 0x600df00d;

struct Node {
  Node* next = nullptr;
  uint64_t value = 0;
};

// A collection that runs finds most of what a thread has left behind.
void expect_collects() {
  constexpr int kMany = 50;
  std::vector<Weak<Node>> weak;
  std::thread([&] {
    for (int i = 0; i < kMany; ++i) {
      weak.emplace_back(make<Node>());
    }
  }).join();
  collect();
  int left = 0;
  for (const Weak<Node>& node : weak) {
    left += node.get() != nullptr ? 1 : 0;
  }
  EXPECT_LT(left, kMany / 2);
}

sigset_t every_signal() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

void sleep_ms(int ms) {
  std::this_thread::sleep_for(milliseconds(ms));
}

// Collects until it is destroyed.
class Collecting {
 public:
  Collecting()
      : thread_([this] {
          while (!done_) {
            collect();
            ++count_;
          }
        }) {}

  ~Collecting() {
    done_ = true;
    thread_.join();
  }

  Collecting(const Collecting&) = delete;
  Collecting& operator=(const Collecting&) = delete;

  void await(int collections) const {
    for (int end = count_ + collections; count_ < end;) {
      sleep_ms(1);
    }
  }

 private:
  std::atomic<bool> done_{false};
  std::atomic<int> count_{0};
  std::thread thread_;
};

TEST(Signals, AsynchronousInputGoesOn) {
  Pipe pipe;
  char buffer[16];
  aiocb block{};
  block.aio_fildes = pipe.ends[0];
  block.aio_buf = buffer;
  block.aio_nbytes = sizeof(buffer);
  ASSERT_EQ(aio_read(&block), 0);
  sleep_ms(20);
  for (int i = 0; i < 3; ++i) {
    expect_collects();
  }
  EXPECT_EQ(aio_error(&block), EINPROGRESS);
  pipe.give();
  while (aio_error(&block) == EINPROGRESS) {
    sleep_ms(1);
  }
  EXPECT_EQ(aio_return(&block), 1);
}

std::atomic<int> g_ticks{0};

TEST(Signals, TimersWithThreadsGoOn) {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = [](sigval) {
    make<Node>()->value = 1;
    ++g_ticks;
  };
  timer_t timer{};
  ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  itimerspec often{{0, 5'000'000}, {0, 5'000'000}};
  ASSERT_EQ(timer_settime(timer, 0, &often, nullptr), 0);
  for (int round = 0; round < 5; ++round) {
    expect_collects();
    for (int before = g_ticks; g_ticks < before + 3;) {
      sleep_ms(1);
    }
  }
  timer_delete(timer);
}

// Runs `wait` on a thread until it has returned SIGTERM, while others collect; SIGUSR1 comes first.
void expect_own_signals(const std::function<int()>& wait) {
  sigset_t all = every_signal();
  sigset_t former;
  pthread_sigmask(SIG_BLOCK, &all, &former);
  std::atomic<int> users{0};
  std::atomic<int> strange{0};
  std::thread waiter([&] {
    for (int signal = 0; signal != SIGTERM;) {
      signal = wait();
      users += signal == SIGUSR1 ? 1 : 0;
      strange += signal != SIGUSR1 && signal != SIGTERM ? 1 : 0;
    }
  });
  {
    Collecting collecting;
    collecting.await(20);
    pthread_kill(waiter.native_handle(), SIGUSR1);
    collecting.await(20);
    pthread_kill(waiter.native_handle(), SIGTERM);
    waiter.join();
  }
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  EXPECT_EQ(users, 1);
  EXPECT_EQ(strange, 0);
}

TEST(Signals, SigwaitForAllGetsWhatWasSent) {
  sigset_t all = every_signal();
  expect_own_signals([&] {
    int signal = 0;
    return sigwait(&all, &signal) == 0 ? signal : -1;
  });
}

TEST(Signals, SigwaitinfoForAllGetsWhatWasSent) {
  sigset_t all = every_signal();
  expect_own_signals([&] {
    siginfo_t info;
    return sigwaitinfo(&all, &info);
  });
}

TEST(Signals, SigtimedwaitForAllGetsWhatWasSent) {
  sigset_t all = every_signal();
  expect_own_signals([&] {
    timespec minute{60, 0};
    return sigtimedwait(&all, nullptr, &minute);
  });
}

TEST(Signals, SigtimedwaitForAllTakesItsTime) {
  sigset_t all = every_signal();
  Collecting collecting;
  std::thread([&] {
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    auto start = steady_clock::now();
    timespec time{0, 200'000'000};
    EXPECT_EQ(sigtimedwait(&all, nullptr, &time), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GE(steady_clock::now() - start, milliseconds(200));
    time = {0, -1};
    EXPECT_EQ(sigtimedwait(&all, nullptr, &time), -1);
    EXPECT_EQ(errno, EINVAL);
  }).join();
}

TEST(Signals, SignalfdOfAllGetsWhatWasSent) {
  sigset_t all = every_signal();
  int fd = signalfd(-1, &all, SFD_CLOEXEC);
  ASSERT_GE(fd, 0);
  expect_own_signals([&] {
    signalfd_siginfo info;
    return read(fd, &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo) : -1;
  });
  close(fd);
}

// It unwound out of the stop's handler, and the world stayed stopped.
TEST(Signals, CancelledThreadsEnd) {
  Pipe pipe;
  Collecting collecting;
  for (int round = 0; round < 60; ++round) {
    pthread_t threads[8];
    for (pthread_t& thread : threads) {
      ASSERT_EQ(pthread_create(
                    &thread, nullptr,
                    [](void* raw) -> void* {
                      make<Node>()->value = 1;
                      for (;;) {
                        char byte = 0;
                        (void)!read(static_cast<Pipe*>(raw)->ends[0], &byte, 1);
                      }
                    },
                    &pipe),
                0);
    }
    usleep(round % 20 * 50);
    for (pthread_t thread : threads) {
      pthread_cancel(thread);
    }
    for (pthread_t thread : threads) {
      void* result = nullptr;
      pthread_join(thread, &result);
      ASSERT_EQ(result, PTHREAD_CANCELED);
    }
  }
}

// Made with a mask that is none of pthread_sigmask's, it runs on and makes objects.
TEST(Signals, ThreadsMadeWithAllBlockedRunOn) {
  static std::atomic<bool> done{false};
  static std::atomic<int> made{0};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  sigset_t all = every_signal();
  ASSERT_EQ(pthread_attr_setsigmask_np(&attributes, &all), 0);
  pthread_t thread{};
  auto body = [](void*) -> void* {
    Node* list = nullptr;
    uint64_t sum = 0;
    while (!done) {
      Node* node = make<Node>();
      *node = {made % 100 == 0 ? nullptr : list, kValue};
      list = node;
      ++made;
    }
    int length = 0;
    for (Node* node = list; node != nullptr; node = node->next, ++length) {
      sum += node->value;
    }
    return sum == static_cast<uint64_t>(length) * kValue ? list : nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, body, nullptr), 0);
  for (int i = 0; i < 20; ++i) {
    collect();
    for (int before = made; made == before;) {
      sleep_ms(1);
    }
  }
  done = true;
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_NE(result, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace
}  // namespace burrow
