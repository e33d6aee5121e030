// Children that are forked while a cycle cannot end, and planted faults of fork.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "burrow/gc.h"
#include "gc/cleanup.h"
#include "gc/collector.h"
#include "gc/faults.h"
#include "gc/stops.h"
#include "os/stop.h"

namespace burrow {
namespace {

constexpr unsigned kPatience = 120;
constexpr uint64_t kValue = 0x600df00d;

struct Node {
  Ptr<Node> next;
  uint64_t value = 0;
};

int exit_code(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void make_many() {
  for (int i = 0; i < 100000; ++i) {
    make<Node>()->value = 1;
  }
}

Node* make_list(int count) {
  Node* list = nullptr;
  for (int i = 0; i < count; ++i) {
    Node* node = make<Node>();
    node->next = list;
    node->value = kValue;
    list = node;
  }
  return list;
}

// A thread that cannot be stopped from the moment in which a cycle marks.
class Deaf {
 public:
  Deaf()
      : thread_([this] {
          while (gc::g_collector.phase() != gc::Phase::kMark) {
            asm volatile("pause");
          }
          uint64_t all = ~uint64_t{0};
          syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
          while (!stop_) {
            usleep(1000);
          }
        }) {
    os::g_stop_faults.no_trace = true;
  }

  ~Deaf() {
    stop_ = true;
    thread_.join();
    os::g_stop_faults.no_trace = false;
  }

  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// What the parent's marks have passed gets a new neighbour in the child.
int child_stores(Node* list) {
  alarm(kPatience);
  for (Node* node = list; node != nullptr;
       node = node->next == nullptr ? nullptr : node->next->next) {
    Node* fresh = make<Node>();
    fresh->value = kValue;
    fresh->next = node->next;
    node->next = fresh;
  }
  uint32_t cycles = gc::g_collector.stats().cycles;
  collect();
  if (gc::g_collector.stats().cycles == cycles) {
    return 2;
  }
  for (int i = 0; i < 3; ++i) {
    make_many();
    collect();
  }
  for (Node* node = list; node != nullptr; node = node->next) {
    if (node->value != kValue) {
      return 3;
    }
  }
  return 0;
}

int fork_while_cycle_cannot_end() {
  Node* list = make_list(1000000);
  collect();
  int code = 0;
  {
    Deaf deaf;
    gc::g_collector.request();
    while (!gc::g_stops.failing()) {
      usleep(1000);
    }
    EXPECT_EQ(gc::g_collector.phase(), gc::Phase::kMark);
    pid_t pid = fork();
    if (pid == 0) {
      os::g_stop_faults.no_trace = false;
      _exit(child_stores(list));
    }
    code = exit_code(pid);
  }
  collect();
  return code;
}

TEST(ForkInside, ChildrenCollectWhereTheParentCannot) {
  alarm(kPatience);
  EXPECT_EQ(fork_while_cycle_cannot_end(), 0);
}

TEST(ForkInside, APlantedFaultGoesByTheParentsMarks) {
  alarm(kPatience);
  gc::g_faults.inherited_marks = true;
  EXPECT_NE(fork_while_cycle_cannot_end(), 0);
  gc::g_faults.inherited_marks = false;
}

struct Half {
  bool changing = false;

  ~Half() {
    if (changing) {
      _exit(8);
    }
  }
};

int fork_while_another_changes() {
  std::atomic<int> step{0};
  std::thread changes([&step] {
    auto* mine = make<Half>();
    mine->changing = true;
    step = 1;
    while (step == 1) {
      usleep(1000);
    }
    mine->changing = false;
  });
  while (step == 0) {
    usleep(1000);
  }
  pid_t pid = fork();
  if (pid == 0) {
    alarm(kPatience);
    for (int i = 0; i < 3; ++i) {
      collect();
      gc::drain_cleanups();
    }
    _exit(0);
  }
  int code = exit_code(pid);
  step = 2;
  changes.join();
  return code;
}

TEST(ForkInside, APlantedFaultDestroysWhatLostThreadsWereChanging) {
  alarm(kPatience);
  EXPECT_EQ(fork_while_another_changes(), 0);
  gc::g_faults.inherited_destructors = true;
  EXPECT_EQ(fork_while_another_changes(), 8);
  gc::g_faults.inherited_destructors = false;
}

}  // namespace
}  // namespace burrow
