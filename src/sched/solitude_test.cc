// One processor becomes several while goroutines run. Each case in a process of its own, as there
// is one beginning only.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "burrow/go.h"
#include "os/fibers.h"
#include "sched/scheduler.h"

namespace burrow {
namespace {

using sched::SchedTestPeer;

constexpr int kGoroutines = 12;
constexpr int kYields = 12;
constexpr int kRounds = os::kSanitized ? 3 : 20;  // those take a second to start

// Goroutines that yield, start others and wait for them, while a plain thread adds processors.
// Exits with 0 when each has run as often as it should.
[[noreturn]] void grow(bool faulty, bool from_goroutine) {
  SchedTestPeer::no_wait_for_turn = faulty;
  alarm(30);
  std::atomic<int> done{0};
  run([&] {
    auto add = [] { set_processors(4); };
    std::thread adder([&] {
      while (done.load() < kGoroutines) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      if (!from_goroutine) {
        add();
      }
    });
    WaitGroup group;
    for (int i = 0; i < kGoroutines; ++i) {
      group.go([&, i] {
        for (int k = 0; k < kYields; ++k) {
          WaitGroup inner;
          inner.go([&] { done.fetch_add(1); });
          yield();
          inner.wait();
          if (from_goroutine && i == 3 && k == 3) {
            add();
          }
        }
      });
    }
    group.wait();
    blocking([&] { adder.join(); });
    if (faulty) {  // the turn in which the others came may still be on: its owner runs what they
                   // ran
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  _exit(done.load() == kGoroutines * kYields && set_processors(0) == 4 ? 0 : 1);
}

// Run by the others, in a process of its own.
TEST(SolitudeTest, Child) {
  const char* what = std::getenv("SOLITUDE_CHILD");
  if (what == nullptr) {
    GTEST_SKIP() << "for the others";
  }
  grow(std::strstr(what, "faulty") != nullptr, std::strstr(what, "goroutine") != nullptr);
}

// True when a child that grows ends as it should.
bool grows(const char* what) {
  pid_t child = fork();
  if (child == 0) {
    setenv("SOLITUDE_CHILD", what, 1);
    setenv("BURROW_PROCS", "1", 1);
    setenv("BURROW_DEBUG", std::strstr(what, "slow") != nullptr ? "slowturns=1" : "", 1);
    execl("/proc/self/exe", "solitude_test", "--gtest_filter=SolitudeTest.Child", nullptr);
    _exit(2);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(SolitudeTest, EndsWhileGoroutinesRun) {
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_TRUE(grows("")) << "round " << i;
  }
}

TEST(SolitudeTest, EndsByAGoroutine) {
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_TRUE(grows("from a goroutine")) << "round " << i;
  }
}

TEST(SolitudeTest, EndsInTheMiddleOfATurn) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(grows("slow")) << "round " << i;
  }
}

TEST(SolitudeTest, WithoutWaitingForTheTurnGoroutinesRunTwice) {
  if (os::kSanitized) {
    GTEST_SKIP() << "workers start too slowly then to meet a turn";
  }
  bool caught = false;
  for (int i = 0; i < 20 && !caught; ++i) {
    caught = !grows("slow and faulty");
  }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace burrow
