// Going from one processor to several. See solitude.h.
#include "sched/solitude.h"

#include "base/check.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/scheduler.h"

namespace burrow::sched {

void Solitude::begin(bool slowly) {
  if (os::prepare_thread_barrier()) {
    state_.store(slowly ? State::kAloneSlowly : State::kAlone, std::memory_order_relaxed);
  }
}

void Solitude::end() {
  if (state_.load(std::memory_order_relaxed) == State::kShared) {
    return;
  }
  state_.store(State::kShared, std::memory_order_seq_cst);
  if (SchedTestPeer::no_wait_for_turn.load(std::memory_order_relaxed)) {
    return;
  }
  if (!os::thread_barrier()) {
    fatal(
        "the system refuses membarrier, which it allowed at the start: call set_processors before "
        "installing a filter of system calls, or start with BURROW_PROCS=2");
  }
  // Acquire: pairs with the release in ~Turn.
  while (turn_.load(std::memory_order_acquire)) {
    os::yield_thread();
  }
}

void Solitude::Turn::linger() const {
  constexpr int64_t kTurnNs = 1'000'000;
  constexpr int64_t kMeetNs = 50'000'000;
  constexpr int64_t kNapNs = 100'000;
  int64_t until = os::monotonic_ns() + kTurnNs;
  bool shared = false;
  while (os::monotonic_ns() < until) {
    // On a busy machine the other worker needs time of its own to come into this turn.
    if (!shared && solitude_.state_.load(std::memory_order_relaxed) == State::kShared) {
      shared = true;
      until = os::monotonic_ns() + kMeetNs;
    }
    os::sleep_ns(kNapNs);
  }
}

}  // namespace burrow::sched
