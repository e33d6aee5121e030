// fork in all its forms, while other threads allocate and hold locks of the C library.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

// What hangs fails. All of it takes a second or two, on a machine that has nothing else to do.
constexpr unsigned kPatience = 170;

int exit_code(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool allocates() {
  for (size_t size = 1; size < 300000; size += size / 2 + 1) {
    void* p = malloc(size);
    if (p == nullptr) {
      return false;
    }
    fill(p, size < 100 ? size : 100, 1);
    free(p);
  }
  return true;
}

// Threads that call `step` again and again until the end of the scope.
class Threads {
 public:
  Threads(int count, const std::function<void()>& step) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, step] {
        while (!stop_.load(std::memory_order_relaxed)) {
          step();
        }
      });
    }
  }

  ~Threads() {
    stop_.store(true);
    for (std::thread& t : threads_) {
      t.join();
    }
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

void churn() {
  for (size_t size : {size_t{24}, size_t{700}, size_t{9000}, size_t{50000}}) {
    void* blocks[40];
    for (void*& p : blocks) {
      p = malloc(size);
    }
    for (void* p : blocks) {
      free(p);
    }
  }
}

void limit_time() {
  alarm(kPatience);
}

class Forks : public testing::Test {
 protected:
  Forks() { alarm(kPatience); }

  ~Forks() override { alarm(0); }
};

// A FILE's lock is held while its buffer is allocated, the list's while a FILE's is waited for, and
// fork takes the list's.
TEST_F(Forks, BesideFilesThatAreReadOpenedAndFlushed) {
  char path[] = "/tmp/fork_test.XXXXXX";
  int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  std::string line(50000, 'x');
  line += '\n';
  ASSERT_EQ(write(fd, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  close(fd);
  FILE* file = fopen(path, "r");
  {
    Threads readers(2, [file] {
      char* text = nullptr;
      size_t capacity = 0;
      flockfile(file);
      rewind(file);
      EXPECT_GT(getline(&text, &capacity, file), 0);
      funlockfile(file);
      free(text);
    });
    Threads openers(1, [path] { fclose(fopen(path, "r")); });
    Threads flushers(1, [] {
      fflush(nullptr);
      usleep(100);
    });
    for (int round = 0; round < 10; ++round) {
      pid_t pid = fork();
      if (pid == 0) {
        limit_time();
        FILE* own = fopen(path, "r");
        char* text = nullptr;
        size_t capacity = 0;
        bool good = own != nullptr && getline(&text, &capacity, own) > 0 && fflush(nullptr) == 0;
        _exit(good && allocates() ? 0 : 1);
      }
      ASSERT_EQ(exit_code(pid), 0) << round;
    }
  }
  fclose(file);
  unlink(path);
}

std::atomic<int> g_forks_in_handlers{0};
std::atomic<int> g_bad_children{0};

void fork_in_handler(int /*signal*/) {
  int saved = errno;
  pid_t pid = fork();
  if (pid == 0) {
    _exit(0);
  }
  if (pid > 0) {
    g_bad_children.fetch_add(exit_code(pid) == 0 ? 0 : 1);
    g_forks_in_handlers.fetch_add(1);
  }
  errno = saved;
}

TEST_F(Forks, InHandlersThatInterruptForkAndMalloc) {
  Threads churners(1, churn);
  struct sigaction action{};
  struct sigaction former{};
  action.sa_handler = fork_in_handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, &former);
  g_forks_in_handlers.store(0);
  g_bad_children.store(0);
  pthread_t self = pthread_self();
  {
    Threads senders(1, [self] {
      int before = g_forks_in_handlers.load();
      pthread_kill(self, SIGUSR1);
      // The one that is interrupted must come to something in between.
      for (int i = 0; i < 1000 && g_forks_in_handlers.load() == before; ++i) {
        usleep(1000);
      }
      usleep(static_cast<useconds_t>(before * 397 % 3000));
    });
    for (int round = 0; round < 20 || g_forks_in_handlers.load() < 20; ++round) {
      churn();
      pid_t pid = fork();
      if (pid == 0) {
        limit_time();
        signal(SIGUSR1, SIG_IGN);
        _exit(allocates() ? 0 : 1);
      }
      ASSERT_EQ(exit_code(pid), 0) << round;
    }
  }
  sigaction(SIGUSR1, &former, nullptr);
  EXPECT_EQ(g_bad_children.load(), 0);
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
}

// A program's own lock that is held over malloc and taken by its handlers of fork, as POSIX
// recommends, handed in before Burrow has had a chance to.
std::mutex g_programs_lock;
std::atomic<bool> g_locks{
    false};  // in its own test only: a handler of signals must not wait for it

void lock_programs() {
  if (g_locks.load()) {
    g_programs_lock.lock();
  }
}

void unlock_programs() {
  if (g_locks.load()) {
    g_programs_lock.unlock();
  }
}

__attribute__((constructor(101))) void register_handlers() {
  pthread_atfork(lock_programs, unlock_programs, unlock_programs);
}

TEST_F(Forks, WithHandlersThatTakeALockUnderWhichOthersAllocate) {
  g_locks.store(true);
  Threads churners(2, [] {
    std::lock_guard hold(g_programs_lock);
    churn();
  });
  for (int round = 0; round < 20; ++round) {
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      std::lock_guard hold(g_programs_lock);
      _exit(allocates() ? 0 : 1);
    }
    ASSERT_EQ(exit_code(pid), 0) << round;
  }
  g_locks.store(false);
}

// glibc's list of handlers grows by malloc, under a lock that fork takes again after each handler.
TEST_F(Forks, BesideThreadsThatHandInHandlers) {
  std::atomic<int> handed{0};
  Threads others(1, [&handed] {
    if (handed.fetch_add(1) < 2000) {
      pthread_atfork(nullptr, nullptr, nullptr);
    }
    usleep(20);
  });
  for (int round = 0; round < 20; ++round) {
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      _exit(allocates() && pthread_atfork(nullptr, nullptr, nullptr) == 0 ? 0 : 1);
    }
    ASSERT_EQ(exit_code(pid), 0) << round;
  }
}

// glibc's own callers of fork do not pass the program's.
TEST_F(Forks, ByDaemonAndForkpty) {
  Threads churners(2, churn);
  for (int round = 0; round < 4; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      Threads more(1, churn);
      if (daemon(1, 1) != 0) {
        _exit(1);
      }
      limit_time();
      char good = allocates() ? 'y' : 'n';
      (void)!write(ends[1], &good, 1);
      _exit(0);
    }
    close(ends[1]);
    char good = 0;
    EXPECT_EQ(read(ends[0], &good, 1), 1);
    EXPECT_EQ(good, 'y');
    close(ends[0]);
    EXPECT_EQ(exit_code(pid), 0);

    int terminal = -1;
    pid = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid == 0) {
      limit_time();
      _exit(allocates() ? 0 : 1);
    }
    ASSERT_GT(pid, 0);
    EXPECT_EQ(exit_code(pid), 0);
    close(terminal);
  }
}

TEST_F(Forks, ByPopenAndSystem) {
  Threads churners(2, churn);
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(system("exit 7"), 7 << 8);
    FILE* pipe = popen("echo said", "r");
    ASSERT_NE(pipe, nullptr);
    char text[16] = {};
    EXPECT_NE(fgets(text, sizeof(text), pipe), nullptr);
    EXPECT_STREQ(text, "said\n");
    EXPECT_EQ(pclose(pipe), 0);
  }
}

// No handler runs: the child may do what a signal handler may.
TEST_F(Forks, WithoutHandlers) {
  Threads churners(2, churn);
  for (int round = 0; round < 10; ++round) {
    pid_t pid =
        round % 2 == 0 ? _Fork() : static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(127);
    }
    EXPECT_EQ(exit_code(pid), 0);
  }
  EXPECT_TRUE(allocates());
}

// A child that did not execute anything is a process as any other.
TEST_F(Forks, ManyGenerations) {
  Threads churners(1, churn);
  pid_t pid = fork();
  if (pid == 0) {
    limit_time();
    int generation = 0;
    int status = 0;
    while (++generation < 6) {
      Threads more(1, churn);
      pid_t child = fork();
      if (child != 0) {
        status = exit_code(child);
        _exit(status == 0 && allocates() ? 0 : 1);
      }
      limit_time();
    }
    _exit(allocates() ? 0 : 1);
  }
  EXPECT_EQ(exit_code(pid), 0);
}

}  // namespace
}  // namespace heap_abi
