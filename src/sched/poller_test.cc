// Waiting for descriptors: what ends a wait, and what a closed and reused number does.
#include "sched/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "burrow/go.h"
#include "sched/test_processors.h"

namespace burrow {
namespace {

using std::chrono::milliseconds;

Deadline in(milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// A connected pair of sockets.
struct Pair {
  Pair() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  }

  ~Pair() {
    close(ends[0]);
    close(ends[1]);
  }

  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void fill() {
    std::array<char, 4096> block{};
    while (write(ends[0], block.data(), block.size()) > 0) {
    }
  }

  void drain() {
    std::array<char, 4096> block{};
    while (read(ends[1], block.data(), block.size()) > 0) {
    }
  }

  std::array<int, 2> ends{};
};

TEST(Poller, DataEndsAWaitToRead) {
  run([] {
    Pair pair;
    std::atomic<int> woken{0};
    go([&] { woken.fetch_add(wait_readable(pair.ends[0]) ? 1 : 100); });
    go([&] { woken.fetch_add(wait_readable(pair.ends[0], in(std::chrono::hours(1))) ? 1 : 100); });
    EXPECT_TRUE(eventually([] { return sched::poll_waiters() == 2; }));
    EXPECT_EQ(woken.load(), 0);
    EXPECT_EQ(write(pair.ends[1], "x", 1), 1);
    EXPECT_TRUE(eventually([&] { return woken.load() == 2; }));
    EXPECT_TRUE(wait_readable(pair.ends[0]));  // still true
    EXPECT_EQ(sched::poll_waiters(), 0);
  });
}

TEST(Poller, RoomEndsAWaitToWrite) {
  run([] {
    Pair pair;
    EXPECT_TRUE(wait_writable(pair.ends[0]));
    pair.fill();
    std::atomic<int> woken{0};
    go([&] { woken.fetch_add(wait_writable(pair.ends[0]) ? 1 : 100); });
    EXPECT_TRUE(eventually([] { return sched::poll_waiters() == 1; }));
    pair.drain();
    EXPECT_TRUE(eventually([&] { return woken.load() == 1; }));
  });
}

// One waits to read and one to write at one descriptor: each is woken by his own event only.
TEST(Poller, BothDirectionsAtOnce) {
  run([] {
    Pair pair;
    pair.fill();
    std::atomic<int> read_done{0};
    std::atomic<int> write_done{0};
    for (int round = 1; round <= 20; ++round) {
      go([&] { read_done.fetch_add(wait_readable(pair.ends[0]) ? 1 : 100); });
      go([&] { write_done.fetch_add(wait_writable(pair.ends[0]) ? 1 : 100); });
      EXPECT_TRUE(eventually([] { return sched::poll_waiters() == 2; }));
      EXPECT_EQ(write(pair.ends[1], "x", 1), 1);
      EXPECT_TRUE(eventually([&] { return read_done.load() == round; }));
      EXPECT_EQ(write_done.load(), round - 1);
      char c = 0;
      EXPECT_EQ(read(pair.ends[0], &c, 1), 1);
      pair.drain();
      EXPECT_TRUE(eventually([&] { return write_done.load() == round; }));
      pair.fill();
    }
  });
}

TEST(Poller, TheDeadlineEndsAWait) {
  run([] {
    Pair pair;
    EXPECT_FALSE(wait_readable(pair.ends[0], in(milliseconds(5))));
    EXPECT_FALSE(wait_readable(pair.ends[0], in(milliseconds(-5))));
    EXPECT_EQ(sched::poll_waiters(), 0);
    // What is there counts more than a deadline that comes later.
    EXPECT_EQ(write(pair.ends[1], "x", 1), 1);
    EXPECT_TRUE(wait_readable(pair.ends[0], in(std::chrono::hours(1))));
  });
}

TEST(Poller, DataAndDeadlineAtTheSameTime) {
  run([] {
    Processors two(2);
    Pair pair;
    std::atomic<int> turns{0};
    go([&] {
      for (int i = 0; i < 300; ++i) {
        if (wait_readable(pair.ends[0], in(milliseconds(i % 2)))) {
          char c = 0;
          (void)!read(pair.ends[0], &c, 1);
        }
        turns.fetch_add(1);
      }
    });
    EXPECT_TRUE(eventually([&] {
      (void)!write(pair.ends[1], "x", 1);
      sleep_for(std::chrono::microseconds(300));
      return turns.load() == 300;
    }));
    EXPECT_EQ(sched::poll_waiters(), 0);
  });
}

TEST(Poller, TheEndOfTheOtherSideEndsAWait) {
  run([] {
    Pair pair;
    std::atomic<int> woken{0};
    go([&] { woken.fetch_add(wait_readable(pair.ends[0]) ? 1 : 100); });
    EXPECT_TRUE(eventually([] { return sched::poll_waiters() == 1; }));
    shutdown(pair.ends[1], SHUT_RDWR);
    EXPECT_TRUE(eventually([&] { return woken.load() == 1; }));
  });
}

TEST(Poller, WhatCannotBeWaitedForIsReady) {
  run([] {
    EXPECT_TRUE(wait_readable(-1));
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_TRUE(wait_readable(file));
    close(file);
    EXPECT_TRUE(wait_readable(file));  // not open any more
  });
}

// Who waited for a descriptor that was closed finds out when its number is waited for again.
TEST(Poller, AReusedNumberWakesWhoWaitedForTheOldFile) {
  run([] {
    Pair old;
    std::atomic<int> woken{0};
    int fd = old.ends[0];
    go([&] { woken.fetch_add(wait_readable(fd) ? 1 : 100); });
    EXPECT_TRUE(eventually([] { return sched::poll_waiters() == 1; }));
    Pair fresh;
    ASSERT_EQ(dup3(fresh.ends[0], fd, O_CLOEXEC), fd);  // closes the old file
    std::atomic<int> fresh_woken{0};
    go([&] { fresh_woken.fetch_add(wait_readable(fd) ? 1 : 100); });
    EXPECT_TRUE(eventually([&] { return woken.load() == 1; }));
    EXPECT_EQ(fresh_woken.load(), 0);
    EXPECT_EQ(write(fresh.ends[1], "x", 1), 1);
    EXPECT_TRUE(eventually([&] { return fresh_woken.load() == 1; }));
  });
}

TEST(Poller, PlainThreadsWaitTheirOwnWay) {
  Pair pair;
  EXPECT_FALSE(wait_readable(pair.ends[0], in(milliseconds(5))));
  EXPECT_TRUE(wait_writable(pair.ends[0]));
  std::thread writer([&] { EXPECT_EQ(write(pair.ends[1], "x", 1), 1); });
  EXPECT_TRUE(wait_readable(pair.ends[0]));
  writer.join();
}

}  // namespace
}  // namespace burrow
