// Threads that block all signals, by each function that does so, do not hinder a collection.
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "burrow/gc.h"

namespace burrow {
namespace {

sigset_t all_signals() {
  sigset_t all;
  sigfillset(&all);
  return all;
}

constexpr timespec kLong{300, 0};

// Collects while a thread is in `wait`, which ends when something is written to the pipe. A thread
// that cannot be stopped ends the program after a while.
void collect_beside(const std::function<void(int fd)>& wait) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<bool> begun{false};
  std::thread thread([&] {
    begun = true;
    wait(ends[0]);
  });
  while (!begun) {
    usleep(1000);
  }
  usleep(50'000);  // most probably asleep then
  (void)make<int>(1);
  collect();
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  thread.join();
  close(ends[0]);
  close(ends[1]);
}

void read_one(int fd) {
  char byte = 0;
  while (read(fd, &byte, 1) < 0 && errno == EINTR) {
  }
}

TEST(Masks, BlockedByTheMask) {
  collect_beside([](int fd) {
    sigset_t all = all_signals();
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    read_one(fd);
  });
  collect_beside([](int fd) {
    sigset_t all = all_signals();
    sigprocmask(SIG_BLOCK, &all, nullptr);
    read_one(fd);
  });
}

TEST(Masks, BlockedWhileAFunctionWaits) {
  collect_beside([](int fd) {
    sigset_t all = all_signals();
    pollfd polled{fd, POLLIN, 0};
    EXPECT_EQ(ppoll(&polled, 1, &kLong, &all), 1);
  });
  collect_beside([](int fd) {
    sigset_t all = all_signals();
    fd_set in;
    FD_ZERO(&in);
    FD_SET(fd, &in);
    EXPECT_EQ(pselect(fd + 1, &in, nullptr, nullptr, &kLong, &all), 1);
  });
  collect_beside([](int fd) {
    sigset_t all = all_signals();
    int epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    EXPECT_EQ(epoll_pwait(epoll, &event, 1, 300'000, &all), 1);
    close(epoll);
  });
}

}  // namespace
}  // namespace burrow
