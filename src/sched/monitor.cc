// The monitor: a thread without a processor that sees to what no worker does. Go's sysmon. See
// sched.h, How 5.
#include <algorithm>
#include <array>
#include <atomic>

#include "base/check.h"
#include "base/futex.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/panic.h"
#include "sched/poller.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

constexpr int64_t kShortestNs = 20'000;
constexpr int64_t kLongestNs = 10'000'000;
constexpr int64_t kSuspiciousNs = 500'000;  // while there is work and a processor for it
constexpr int64_t kAsleepNs = 1'000'000'000;
constexpr int64_t kPollNs = 10'000'000;
constexpr int kRoundsBeforeSlow = 50;

struct Seen {
  uint32_t tick = 0;
  bool had_work = false;
  bool lent = false;
};

class Monitor {
 public:
  // One round; how long to sleep then.
  int64_t look() {
    do_requests();
    if (all_idle()) {
      return sleep_until_started();
    }
    bool useful = poll_for_all();
    useful |= take_lent_processors();
    int64_t now = os::monotonic_ns();
    if (earliest_timer() < now && wanted_elsewhere()) {
      wake_processor();
      useful = true;
    }
    bool suspicious = find_unseen_work();
    rounds_ = useful ? 0 : rounds_ + 1;
    if (rounds_ < kRoundsBeforeSlow) {
      sleep_ns_ = kShortestNs;
    } else {
      sleep_ns_ = std::min(sleep_ns_ * 2, kLongestNs);
    }
    return suspicious ? std::min(sleep_ns_, kSuspiciousNs) : sleep_ns_;
  }

 private:
  static int made() { return g_sched.made_count.load(std::memory_order_acquire); }

  static bool all_idle() {
    return g_sched.idle_count.load(std::memory_order_relaxed) ==
               g_sched.processor_count.load(std::memory_order_relaxed) &&
           g_sched.lent.load(std::memory_order_relaxed) == 0;
  }

  // Nobody runs, so there is nothing to watch until somebody takes a processor.
  int64_t sleep_until_started() {
    {
      MutexLock hold(g_sched.lock);
      if (!all_idle()) {
        return kShortestNs;
      }
      g_sched.monitor_sleeps = true;
    }
    rounds_ = 0;
    // A plain thread that could still have woken somebody may have ended since.
    check_deadlock();
    return kAsleepNs;
  }

  // When every worker is busy and none has looked for a while.
  static bool poll_for_all() {
    int64_t last = g_sched.last_poll_ns.load(std::memory_order_relaxed);
    int64_t now = os::monotonic_ns();
    if (last == 0 || now - last < kPollNs || poll_waiters() == 0 ||
        !g_sched.last_poll_ns.compare_exchange_strong(last, now, std::memory_order_relaxed)) {
      return false;
    }
    GoroutineList list = poll_events(0);
    if (list.empty()) {
      return false;
    }
    ready_list(list);
    return true;
  }

  // Processors that have been lent for more than a round go to others, if there is anything that
  // others could do.
  bool take_lent_processors() {
    bool any = false;
    for (int i = 0; i < made(); ++i) {
      Processor& p = g_sched.processors[static_cast<size_t>(i)];
      Seen& seen = seen_[static_cast<size_t>(i)];
      ProcessorState state = p.state.load(std::memory_order_relaxed);
      bool lent = state == ProcessorState::kBlocking;
      uint32_t tick = p.tick.load(std::memory_order_relaxed);
      // Acquire: pairs with the release in enter_blocking.
      if (lent && seen.lent && seen.tick == tick &&
          p.state.compare_exchange_strong(state, ProcessorState::kIdle,
                                          std::memory_order_acq_rel)) {
        g_sched.lent.fetch_sub(1, std::memory_order_seq_cst);
        hand_on(&p);
        lent = false;
        any = true;
      }
      seen.lent = lent;
    }
    return any;
  }

  // Work that has lain since the last round at a processor whose goroutine goes on and on, while
  // another processor is idle: nobody was woken for it (see wake_for_next). True when there may be
  // such.
  bool find_unseen_work() {
    bool idle = g_sched.idle_count.load(std::memory_order_relaxed) > 0 &&
                g_sched.spinning.load(std::memory_order_relaxed) == 0;
    bool suspicious = false;
    for (int i = 0; i < made(); ++i) {
      Processor& p = g_sched.processors[static_cast<size_t>(i)];
      Seen& seen = seen_[static_cast<size_t>(i)];
      uint32_t tick = p.tick.load(std::memory_order_relaxed);
      bool has_work = p.has_work();
      if (idle && has_work && seen.had_work && seen.tick == tick &&
          !SchedTestPeer::no_rescue.load(std::memory_order_relaxed)) {
        g_sched.fruitless_wakes.store(0, std::memory_order_relaxed);
        g_sched.rescues.fetch_add(1, std::memory_order_relaxed);
        wake_processor();
      }
      suspicious |= idle && has_work;
      seen.had_work = has_work;
      seen.tick = tick;
    }
    if (idle && g_sched.global_count.load(std::memory_order_relaxed) > 0 &&
        !SchedTestPeer::no_rescue.load(std::memory_order_relaxed)) {
      wake_processor();
    }
    return suspicious;
  }

  std::array<Seen, kMaxProcessors> seen_{};
  int rounds_ = 0;
  int64_t sleep_ns_ = kShortestNs;
};

void monitor_main() {
  static constinit Monitor monitor;
  while (true) {
    int64_t ns = monitor.look();
    // Acquire: pairs with the releases of those who wake it.
    if (g_sched.monitor_wake.load(std::memory_order_acquire) == 0) {
      futex_wait_for(g_sched.monitor_wake, 0, ns);
    }
    g_sched.monitor_wake.store(0, std::memory_order_seq_cst);
  }
}

}  // namespace

void start_monitor() {
  if (!os::start_background_thread("burrow-monitor", monitor_main)) {
    fatal("the system gives no thread to watch the goroutines; see ulimit -u and ulimit -v");
  }
}

void wake_monitor() {
  if (g_sched.monitor_sleeps) {
    g_sched.monitor_sleeps = false;
    g_sched.monitor_wake.store(1, std::memory_order_release);
    futex_wake_one(g_sched.monitor_wake);
  }
}

void check_deadlock() {
  size_t threads = os::process_threads();
  {
    MutexLock hold(g_sched.lock);
    bool standstill = g_sched.runs > 0 && g_sched.worker_count > 0 &&
                      g_sched.sleeping_workers == g_sched.worker_count && g_sched.global.empty() &&
                      g_sched.idle_count.load(std::memory_order_relaxed) ==
                          g_sched.processor_count.load(std::memory_order_relaxed);
    // What is waited for by a thread that waits itself will not come. Others may still wake us.
    auto waiting =
        static_cast<size_t>(std::max(0, g_sched.threads_waiting.load(std::memory_order_seq_cst)));
    if (!standstill || g_sched.forked.load(std::memory_order_relaxed) || poll_waiters() > 0 ||
        earliest_timer() != kNever || threads == 0 || threads > os::own_threads() + waiting) {
      return;
    }
    // A thread on its way into a wait can still start or wake somebody, for which it needs the
    // lock; it checks again when it has.
    if (g_sched.threads_committing.load(std::memory_order_seq_cst) > 0) {
      g_sched.deadlock_unchecked.store(true, std::memory_order_seq_cst);
      if (g_sched.threads_committing.load(std::memory_order_seq_cst) > 0) {
        return;
      }
    }
  }
  die_of_deadlock();
}

}  // namespace burrow::sched
