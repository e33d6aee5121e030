// fork, vfork, posix_spawn and exit while other threads allocate.
#include <gtest/gtest.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "under_test.h"

extern char** environ;

namespace heap_abi {
namespace {

// Threads that allocate, resize and free all the time, until the object's end.
class Churners {
 public:
  explicit Churners(int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, i] { run(static_cast<unsigned>(i)); });
    }
  }

  ~Churners() {
    stop_.store(true);
    for (std::thread& t : threads_) {
      t.join();
    }
  }

 private:
  void run(unsigned seed) {
    std::vector<void*> blocks(200);
    for (size_t i = seed; !stop_.load(std::memory_order_relaxed); ++i) {
      void*& p = blocks[i * 7 % blocks.size()];
      if (i % 3 == 0) {
        p = realloc(p, i * 13 % 3000 + 1);
      } else {
        free(p);
        p = malloc(i % 50 == 0 ? 100000 : i * 31 % 2000);
      }
    }
    for (void* p : blocks) {
      free(p);
    }
  }

  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// What a child does: frees and resizes what the parent allocated, allocates all sizes, trims.
int child_work(std::vector<void*> blocks) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (!holds(blocks[i], 100, static_cast<unsigned>(i))) {
      return 2;
    }
    if (i % 2 == 0) {
      free(blocks[i]);
    } else {
      blocks[i] = realloc(blocks[i], 5000);
      if (!holds(blocks[i], 100, static_cast<unsigned>(i))) {
        return 3;
      }
    }
  }
  for (size_t size = 1; size < 200000; size += size / 3 + 1) {
    void* p = calloc(size, 1);
    if (p == nullptr) {
      return 4;
    }
    free(p);
  }
  malloc_trim(0);
  return mallinfo2().uordblks > 0 ? 0 : 5;
}

int exit_code(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// A child that hangs is a failure, not a test that never ends.
void limit_time() {
  alarm(60);
}

std::vector<void*> make_blocks() {
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 100; ++i) {
    blocks.push_back(malloc(100 + i * 50));
    fill(blocks.back(), 100, i);
  }
  return blocks;
}

TEST(Fork, ChildrenOfAThreadedProgramAllocate) {
  Churners churners(3);
  std::vector<void*> blocks = make_blocks();
  for (int round = 0; round < 60; ++round) {
    pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      limit_time();
      _exit(child_work(blocks));
    }
    ASSERT_EQ(exit_code(pid), 0) << round;
  }
  for (void* p : blocks) {
    free(p);
  }
}

TEST(Fork, ManyThreadsForkAtOnce) {
  std::vector<std::thread> forkers;
  for (int t = 0; t < 4; ++t) {
    forkers.emplace_back([] {
      std::vector<void*> blocks = make_blocks();
      for (int round = 0; round < 25; ++round) {
        pid_t pid = fork();
        if (pid == 0) {
          limit_time();
          _exit(child_work(blocks));
        }
        EXPECT_EQ(exit_code(pid), 0);
      }
      for (void* p : blocks) {
        free(p);
      }
    });
  }
  for (std::thread& t : forkers) {
    t.join();
  }
}

TEST(Fork, ChildrenForkAndRunThreadsThemselves) {
  Churners churners(2);
  std::vector<void*> blocks = make_blocks();
  for (int round = 0; round < 20; ++round) {
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      int result = 0;
      {
        Churners more(2);
        pid_t grandchild = fork();
        if (grandchild == 0) {
          limit_time();
          _exit(child_work(blocks));
        }
        result = exit_code(grandchild);
      }
      _exit(result != 0 ? result : child_work(blocks));
    }
    ASSERT_EQ(exit_code(pid), 0);
  }
  for (void* p : blocks) {
    free(p);
  }
}

TEST(Fork, ChildrenEndByExitAndByExec) {
  Churners churners(2);
  for (int round = 0; round < 10; ++round) {
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      if (round % 2 == 0) {
        execl("/bin/true", "true", nullptr);
        _exit(127);
      }
      exit(0);
    }
    ASSERT_EQ(exit_code(pid), 0);
  }
}

// Handlers of fork that were registered before Burrow's run while its locks are held.
std::atomic<int> g_handled{0};

void allocate_in_handler() {
  for (size_t size : {size_t{10}, size_t{100}, size_t{3000}, size_t{20000}}) {
    void* blocks[100];
    for (void*& p : blocks) {
      p = malloc(size);
      if (p != nullptr) {
        memset(p, 1, size);
      }
    }
    for (void* p : blocks) {
      free(p);
    }
  }
  g_handled.fetch_add(1);
}

// The program's constructors of this priority run before those of a static library; in the other
// variants the plugin of dlopen_test.cc and early.cc do the same from outside.
__attribute__((constructor(101))) void register_handlers() {
  pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
}

TEST(Fork, HandlersMayAllocate) {
  pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
  g_handled.store(0);
  pid_t pid = fork();
  if (pid == 0) {
    limit_time();
    _exit(g_handled.load() == 4 ? 0 : 1);
  }
  EXPECT_EQ(exit_code(pid), 0);
  EXPECT_EQ(g_handled.load(), 4);
}

TEST(Spawn, VforkAndPosixSpawn) {
  Churners churners(2);
  for (int round = 0; round < 50; ++round) {
    pid_t pid = -1;
    char name[] = "true";
    char* const arguments[] = {name, nullptr};
    ASSERT_EQ(posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, environ), 0);
    EXPECT_EQ(exit_code(pid), 0);
    pid = vfork();
    if (pid == 0) {
      // Not allowed by POSIX, done by programs all the same: the memory is the parent's.
      free(malloc(100));
      execv("/bin/true", arguments);
      _exit(127);
    }
    EXPECT_EQ(exit_code(pid), 0);
  }
}

TEST(Exit, WhileThreadsAllocate) {
  for (int round = 0; round < 20; ++round) {
    pid_t pid = fork();
    if (pid == 0) {
      limit_time();
      // Never joined: they go on while exit runs handlers and destructors.
      auto* churners = new Churners(3);
      (void)opaque(churners);
      exit(0);
    }
    ASSERT_EQ(exit_code(pid), 0);
  }
}

}  // namespace
}  // namespace heap_abi
