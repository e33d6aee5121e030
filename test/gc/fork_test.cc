// fork in programs that collect: children make, collect, pool and destroy as any process does.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "burrow/go.h"
#include "burrow/memstats.h"
#include "burrow/pool.h"

namespace burrow {
namespace {

// What hangs fails. All of it takes a second or two, on a machine that has nothing else to do.
constexpr unsigned kPatience = 250;

struct Node {
  Ptr<Node> next;
  uint64_t value = 0;
};

struct Owner {
  std::atomic<int>* count = nullptr;

  ~Owner() { count->fetch_add(1); }
};

struct Big {
  char bytes[70000] = {};
};

Pool<Node>& pool() {
  static Pool<Node> instance([] { return make<Node>(); });
  return instance;
}

std::atomic<int> g_destroyed{0};

// What takes each of the collector's locks.
void use(int n) {
  Node* list = nullptr;
  for (int i = 0; i < 200; ++i) {
    Node* node = make<Node>();
    node->next = list;
    list = node;
  }
  pool().put(pool().get());
  auto* owner = make<Owner>();
  owner->count = &g_destroyed;
  if (n % 4 == 0) {
    (void)make<Big>();
  }
}

// Threads that use everything, and one that collects.
class Users {
 public:
  Users() {
    for (int t = 0; t < 2; ++t) {
      threads_.emplace_back([this] {
        for (int n = 0; !stop_.load(std::memory_order_relaxed); ++n) {
          use(n);
        }
      });
    }
    threads_.emplace_back([this] {
      while (!stop_.load(std::memory_order_relaxed)) {
        collect();
        usleep(500);
      }
    });
  }

  ~Users() {
    stop_.store(true);
    for (std::thread& t : threads_) {
      t.join();
    }
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

std::vector<Node*>* make_kept() {
  auto* kept = new std::vector<Node*>;
  for (uint64_t i = 0; i < 3000; ++i) {
    kept->push_back(make<Node>());
    kept->back()->value = i;
  }
  return kept;
}

bool is_whole(const std::vector<Node*>& kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]->value != i) {
      return false;
    }
  }
  return true;
}

int exit_code(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

struct Noted {
  std::atomic<int>* destroyed = nullptr;
  bool whole = true;

  ~Noted() { destroyed[whole ? 0 : 1].fetch_add(1); }
};

std::atomic<int> g_noted[2];

__attribute__((noinline)) void make_noted(bool whole) {
  for (int i = 0; i < 100; ++i) {
    auto* noted = make<Noted>();
    noted->destroyed = g_noted;
    noted->whole = whole;
  }
}

bool wait_for_noted(int least) {
  for (int n = 0; n < 2000 && g_noted[0].load() < least; ++n) {
    use(n);
    collect();
    usleep(1000);
  }
  return g_noted[0].load() >= least;
}

// The first test, so that no thread of another's is left. Nothing was in the middle of anything.
TEST(Fork, ChildrenOfOneThreadDestroyWhatTheyInherit) {
  alarm(kPatience);
  make_noted(true);
  ASSERT_TRUE(wait_for_noted(1));  // the thread of the destructors is there
  int code = 6;
  // On a loaded machine that thread may still be at work.
  for (int round = 1; round <= 10 && code == 6; ++round) {
    usleep(50000 * round);
    make_noted(true);
    pid_t pid = fork();
    if (pid == 0) {
      alarm(kPatience);
      g_noted[0].store(0);
      for (int n = 0; n < 50 && g_noted[0].load() == 0; ++n) {
        collect();
        usleep(1000);
      }
      _exit(g_noted[0].load() != 0 ? 0 : 6);
    }
    code = exit_code(pid);
  }
  EXPECT_EQ(code, 0);
}

// A thread that is gone in the child was in the middle of changing what has a destructor.
TEST(Fork, ChildrenDestroyNothingThatLostThreadsWereChanging) {
  alarm(kPatience);
  std::atomic<int> step{0};
  std::thread changes([&step] {
    auto* mine = make<Noted>();
    mine->destroyed = g_noted;
    mine->whole = false;
    step.store(1);
    while (step.load() == 1) {
      usleep(1000);
    }
    mine->whole = true;
  });
  while (step.load() == 0) {
    usleep(1000);
  }
  pid_t pid = fork();
  if (pid == 0) {
    alarm(kPatience);
    g_noted[0].store(0);
    g_noted[1].store(0);
    make_noted(true);
    bool destroyed = wait_for_noted(90);
    _exit(!destroyed ? 7 : g_noted[1].load() != 0 ? 8 : 0);
  }
  int code = exit_code(pid);
  step.store(2);
  changes.join();
  EXPECT_EQ(code, 0);
}

// 0 when all is well.
int child_work(std::vector<Node*>* kept) {
  alarm(kPatience);
  for (int n = 0; n < 20; ++n) {
    use(n);
    kept->push_back(make<Node>());
    kept->back()->value = kept->size() - 1;
  }
  collect();
  std::thread other([] { use(0); });
  other.join();
  while (g_destroyed.load() == 0) {  // or until the patience is over
    use(0);
    collect();
    usleep(1000);
  }
  return is_whole(*kept) ? 0 : 2;
}

TEST(Fork, ChildrenMakeAndCollect) {
  alarm(kPatience);
  std::vector<Node*>* kept = make_kept();
  {
    Users users;
    for (int round = 0; round < 12; ++round) {
      pid_t pid = fork();
      if (pid == 0) {
        g_destroyed.store(0);
        _exit(child_work(kept));
      }
      ASSERT_EQ(exit_code(pid), 0) << round;
    }
  }
  collect();
  EXPECT_TRUE(is_whole(*kept));
  delete kept;
}

TEST(Fork, ChildrenForkThemselves) {
  alarm(kPatience);
  std::vector<Node*>* kept = make_kept();
  {
    Users users;
    for (int round = 0; round < 3; ++round) {
      pid_t pid = fork();
      if (pid == 0) {
        alarm(kPatience);
        int code = 0;
        {
          Users more;
          pid_t grandchild = fork();
          if (grandchild == 0) {
            g_destroyed.store(0);
            _exit(child_work(kept));
          }
          code = exit_code(grandchild);
        }
        _exit(code);
      }
      ASSERT_EQ(exit_code(pid), 0) << round;
    }
  }
  delete kept;
}

// What a vanished thread allocated from comes back: the child's heap does not grow for ever.
TEST(Fork, SpansOfVanishedThreadsAreUsedAgain) {
  alarm(kPatience);
  Users users;
  pid_t pid = fork();
  if (pid == 0) {
    alarm(kPatience);
    for (int n = 0; n < 30; ++n) {
      use(n);
    }
    collect();
    collect();
    size_t before = read_mem_stats().heap_inuse;
    for (int round = 0; round < 10; ++round) {
      for (int n = 0; n < 30; ++n) {
        use(n);
      }
      collect();
    }
    _exit(read_mem_stats().heap_inuse <= before + (size_t{4} << 20) ? 0 : 4);
  }
  EXPECT_EQ(exit_code(pid), 0);
}

// From a goroutine, beside others: the child may collect before it executes a program or ends.
TEST(Fork, ChildOfAGoroutineCollects) {
  alarm(kPatience);
  std::vector<Node*>* kept = make_kept();
  int code = run([kept] {
    std::atomic<bool> stop{false};
    for (int i = 0; i < 3; ++i) {
      go([&stop] {
        for (int n = 0; !stop.load(); ++n) {
          use(n);
          yield();
        }
      });
    }
    int worst = 0;
    for (int round = 0; round < 4; ++round) {
      Node* local = make<Node>();
      local->value = 4711;
      pid_t pid = fork();
      if (pid == 0) {
        alarm(kPatience);
        use(0);
        collect();
        use(1);
        collect();
        _exit(is_whole(*kept) && local->value == 4711 ? 0 : 5);
      }
      worst = std::max(worst, exit_code(pid));
      yield();
    }
    stop.store(true);
    return worst;
  });
  EXPECT_EQ(code, 0);
  delete kept;
}

}  // namespace
}  // namespace burrow
