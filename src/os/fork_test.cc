// What fork does about locks: waits for those it takes, in an order that cannot deadlock, and knows
// in the child those that were left behind.
#include "os/fork.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>

#include "base/mutex.h"

namespace burrow::os {
namespace {

// Of ranks of which this program has no others.
constinit RankedMutex g_brief{LockRank::kPools};
constinit RankedMutex g_long{LockRank::kCycle};
constinit RankedMutex g_forgotten{LockRank::kProfReaders};
constinit std::atomic<int> g_children{0};

constinit ForkPart g_parts[] = {
    {.rank = LockRank::kCycle,
     .each_lock = [](auto visit) { visit(g_long); },
     .child = [] { g_children.fetch_add(1); }},
    {.rank = LockRank::kPools, .each_lock = [](auto visit) { visit(g_brief); }},
};

__attribute__((constructor(102))) void add_parts() {
  for (ForkPart& part : g_parts) {
    add_fork_part(part);
  }
}

// Calls `work` in a child; its status, as of waitpid, and what it said to standard error.
int status_of_child(const std::function<void()>& work, std::string* said = nullptr) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(100);
    dup2(ends[1], STDERR_FILENO);
    work();
    _exit(0);
  }
  close(ends[1]);
  char text[1024];
  for (ssize_t n = 0; (n = read(ends[0], text, sizeof(text))) > 0;) {
    if (said != nullptr) {
      said->append(text, static_cast<size_t>(n));
    }
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void take_and_let_go(RankedMutex& lock) {
  MutexLock hold(lock);
}

// Another thread holds the lock while `work` runs, or for `longest_us`, whichever ends first.
void beside_holder(RankedMutex& lock, useconds_t longest_us, const std::function<void()>& work) {
  std::atomic<bool> held{false};
  std::atomic<bool> done{false};
  std::thread holder([&] {
    MutexLock hold(lock);
    held = true;
    for (useconds_t us = 0; us < longest_us && !done; us += 1000) {
      usleep(1000);
    }
  });
  while (!held) {
    std::this_thread::yield();
  }
  work();
  done = true;
  holder.join();
}

class Fork : public testing::Test {
 protected:
  Fork() { alarm(100); }

  ~Fork() override {
    g_fork_faults = {};
    alarm(0);
  }
};

TEST_F(Fork, WaitsForTheLocksThatItTakes) {
  for (RankedMutex* lock : {&g_brief, &g_long}) {
    beside_holder(*lock, 50'000,
                  [lock] { EXPECT_EQ(status_of_child([lock] { take_and_let_go(*lock); }), 0); });
    take_and_let_go(*lock);
  }
}

TEST_F(Fork, DoesNotWaitForTheOthers) {
  beside_holder(g_forgotten, 50'000'000, [] {
    EXPECT_EQ(status_of_child([] {
                if (!g_forgotten.try_lock()) {
                  _exit(1);
                }
                g_forgotten.unlock();
                take_and_let_go(g_forgotten);
              }),
              0);
  });
}

// The fault: a lock that no part hands in, or of a rank that has no part.
TEST_F(Fork, AChildNoticesALockThatWasLeftOut) {
  for (RankedMutex* lock : {&g_brief, &g_long}) {
    g_fork_faults.left_out = lock->rank();
    beside_holder(*lock, 50'000'000, [lock] {
      std::string said;
      int status = status_of_child([lock] { take_and_let_go(*lock); }, &said);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
      EXPECT_NE(said.find("was held by a thread of the parent"), std::string::npos) << said;
    });
  }
}

TEST_F(Fork, TellsTheChild) {
  int before = g_children.load();
  EXPECT_EQ(status_of_child([before] { _exit(g_children.load() == before + 1 ? 0 : 1); }), 0);
  EXPECT_EQ(g_children.load(), before);
}

TEST_F(Fork, ChildrenOfChildrenKnowLocksLeftBehindBeforeThem) {
  beside_holder(g_forgotten, 50'000'000, [] {
    EXPECT_EQ(status_of_child([] {
                _exit(status_of_child([] { take_and_let_go(g_forgotten); }) == 0 ? 0 : 1);
              }),
              0);
  });
}

// A thread that has a long lock waits for the list of FILEs; so fork may not wait for the lock
// while it has the list.
TEST_F(Fork, DoesNotHoldTheListOfFilesWhileItWaits) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      MutexLock hold(g_long);
      fflush(nullptr);
      usleep(500);
    }
  });
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(status_of_child([] {
                take_and_let_go(g_long);
                fflush(nullptr);
              }),
              0);
  }
  stop = true;
  other.join();
}

void fork_in_handler(int /*signal*/) {
  pid_t pid = fork();
  if (pid == 0) {
    _exit(0);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

TEST_F(Fork, InAHandlerThatInterruptedAHolderTakesNothing) {
  struct sigaction action{};
  struct sigaction former{};
  action.sa_handler = fork_in_handler;
  sigaction(SIGUSR1, &action, &former);
  for (RankedMutex* lock : {&g_brief, &g_long, &g_forgotten}) {
    MutexLock hold(*lock);
    raise(SIGUSR1);
  }
  sigaction(SIGUSR1, &former, nullptr);
  EXPECT_EQ(status_of_child([] { take_and_let_go(g_brief); }), 0);
}

TEST_F(Fork, LeavesTheSignalMaskAsItWas) {
  sigset_t one;
  sigset_t mask;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  auto only_that_one = [] {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGUSR1) == 0 &&
           sigismember(&now, SIGTERM) == 0;
  };
  EXPECT_EQ(status_of_child([&] { _exit(only_that_one() ? 0 : 1); }), 0);
  EXPECT_TRUE(only_that_one());
  pthread_sigmask(SIG_UNBLOCK, &one, &mask);
}

}  // namespace
}  // namespace burrow::os
