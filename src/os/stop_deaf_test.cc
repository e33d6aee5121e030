// Stopping threads that block the stop's signal, and stops that fail.
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/printer.h"
#include "os/signal_mask.h"
#include "os/stop_test_threads.h"
#include "os/task_list.h"

namespace burrow::os {
namespace {

constexpr int kFew = 20;

// As the C library's own threads do. Each count it does so anew: new threads come with other masks.
void block_all() {
  change_signal_mask(MaskChange::kSet, {~uint64_t{0}});
}

TEST_F(Stop, OneThatBlocksAllSignals) {
  check(1, block_all, kFew);
}

TEST_F(Stop, ManyThatBlockAllSignals) {
  check(many(), block_all, kFew);
}

TEST_F(Stop, ManyThatBlockAllSignalsAndSleep) {
  check(many(), [] {
    block_all();
    sleep_ns(20'000);
  });
}

TEST_F(Stop, ManyThatBlockAllSignalsNowAndThen) {
  auto step = [] {
    block_all();
    change_signal_mask(MaskChange::kSet, {});
  };
  check(many(), step, kFew);
}

TEST_F(Stop, OneThatBlocksAllSignalsAndStopsByItself) {
  auto step = [] {
    block_all();
    stop_if_asked();
  };
  check(1, step, kFew);
}

// Cancellation is signal 32: its handler would unwind out of the stop's.
TEST_F(Stop, NoSignalGetsAThreadOutOfItsHandler) {
  Counters counters(1, [] {});
  counters.wait_for_all();
  std::span<const StoppedThread> threads = stop();
  ASSERT_EQ(threads.size(), 1U);
  TaskStatus status = task_status(threads[0].tid);
  resume_threads();
  SignalMask most = SignalMask{~uint64_t{0}}.without(SIGKILL).without(SIGSTOP);
  EXPECT_EQ(status.blocked, most.without(SIGSEGV).without(SIGBUS).bits);
}

// One that is stopped while it holds a lock would make the stop's owner wait for ever.
TEST_F(Stop, WhoBlocksAllSignalsAndHoldsALockStopsAfterIt) {
  static std::atomic<uint32_t> held{0};
  Counters counters(1, [] {
    block_all();
    begin_hold();
    held.store(1);
    sleep_ns(50'000);
    held.store(0);
    end_hold();
  });
  for (int round = 0; round < kFew; ++round) {
    counters.wait_for_all();
    ASSERT_EQ(stop().size(), 1U);
    EXPECT_EQ(held.load(), 0U);
    resume_threads();
  }
}

TEST_F(Stop, APlantedFaultLetsThoseRunThatBlockAllSignals) {
  Counters counters(1, block_all);
  counters.wait_for_all();
  g_stop_faults.trust_deaf_threads = true;
  (void)stop();
  g_stop_faults.trust_deaf_threads = false;
  counters.wait_for_all();  // in the middle of the stop
  resume_threads();
}

TEST_F(Stop, RefusedTracingFailsAndNobodyIsStopped) {
  Counters deaf(1, block_all);
  Counters others(2, [] {});
  deaf.wait_for_all();
  g_stop_faults.no_trace = true;
  EXPECT_FALSE(stop_threads());
  g_stop_faults.no_trace = false;
  others.wait_for_all();
  deaf.wait_for_all();
  EXPECT_TRUE(stop_would_fail());
  FixedPrinter<256> why;
  print_failed_stop(why);
  EXPECT_NE(why.text().find("blocks signal 30 (SIGPWR)"), std::string_view::npos) << why.text();
  ASSERT_EQ(stop().size(), 3U);
  resume_threads();
}

// Descriptors that are out, for as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &former_);
    rlimit none{0, former_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }

  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &former_); }

  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit former_{};
};

TEST_F(Stop, AMissingListFailsAndNobodyIsStopped) {
  Counters counters(1, [] {});
  counters.wait_for_all();
  {
    NoDescriptors none;
    EXPECT_FALSE(stop_threads());
    EXPECT_TRUE(stop_would_fail());
    counters.wait_for_all();
  }
  EXPECT_FALSE(stop_would_fail());
  ASSERT_EQ(stop().size(), 1U);
  resume_threads();
}

TEST_F(Stop, APlantedFaultTakesAMissingListForAnEmptyOne) {
  Counters counters(1, [] { sleep_ns(1000); });
  counters.wait_for_all();
  NoDescriptors none;
  g_stop_faults.trust_missing_list = true;
  EXPECT_TRUE(stop_threads());
  g_stop_faults.trust_missing_list = false;
  counters.wait_for_all();  // in the middle of the stop
  resume_threads();
}

// In vfork a thread takes no signal and cannot be traced until its child has ended.
TEST_F(Stop, OneInVforkFailsAndNobodyIsStopped) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<bool> forks{false};
  std::thread forker([&] {
    forks = true;
    pid_t child = vfork();
    if (child == 0) {
      char byte = 0;
      (void)!syscall(SYS_read, ends[0], &byte, 1);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  while (!forks) {
    sleep_ns(100'000);
  }
  sleep_ms(20);
  Counters counters(2, [] {});
  EXPECT_FALSE(stop_threads());
  counters.wait_for_all();
  EXPECT_TRUE(stop_would_fail());
  FixedPrinter<256> why;
  print_failed_stop(why);
  EXPECT_NE(why.text().find("sleeps in the kernel"), std::string_view::npos) << why.text();
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  forker.join();
  EXPECT_FALSE(stop_would_fail());
  ASSERT_EQ(stop().size(), 2U);
  resume_threads();
  close(ends[0]);
  close(ends[1]);
}

// Threads come and go, block signals or not, sleep or run: while they are stopped nothing moves.
TEST_F(Stop, ManyThatComeAndGo) {
  static std::atomic<uint64_t> moves{0};
  Counters spawners(many(), [] {
    std::thread([] {
      if (moves.fetch_add(1) % 2 == 0) {
        block_all();
      }
      for (int i = 0; i < 20; ++i) {
        moves.fetch_add(1);
        if (i % 8 == 0) {
          sleep_ns(1000);
        }
      }
    }).join();
  });
  for (int round = 0; round < kFew; ++round) {
    spawners.wait_for_all();
    (void)stop();
    uint64_t before = moves.load();
    sleep_ns(200'000);
    uint64_t after = moves.load();
    resume_threads();
    ASSERT_EQ(before, after);
  }
}

}  // namespace
}  // namespace burrow::os
