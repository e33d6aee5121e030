// Stopping threads: those that run, those that sleep, and those that stop by themselves.
#include "os/stop_test_threads.h"

namespace burrow::os {
namespace {

TEST_F(Stop, OneThatRuns) {
  check(1, [] {});
}

TEST_F(Stop, ManyThatRun) {
  check(many(), [] {});
}

TEST_F(Stop, OneThatStopsByItself) {
  check(1, stop_if_asked);
}

TEST_F(Stop, ManyThatStopByThemselves) {
  check(many(), stop_if_asked);
}

TEST_F(Stop, ManyThatSleep) {
  check(many(), [] { sleep_ns(20'000); });
}

TEST_F(Stop, WhoHoldsALockStopsAfterIt) {
  check(1, [] {
    begin_hold();
    stop_if_asked();
    end_hold();
  });
}

TEST_F(Stop, NobodyIsAskedOutsideOfAStop) {
  stop_if_asked();  // would wait for ever
  EXPECT_TRUE(stop().empty());
  resume_threads();
  stop_if_asked();
}

}  // namespace
}  // namespace burrow::os
