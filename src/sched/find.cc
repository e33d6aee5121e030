// Finding something to run, and going to sleep when there is nothing. See sched.h, How 3.
#include <algorithm>
#include <atomic>
#include <utility>

#include "arch/arch.h"
#include "os/os.h"
#include "sched/poller.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

// A worker that has found nothing looks this often more, about a microsecond apart.
constexpr int kSpins = 16;
constexpr int kPausesASpin = 40;
// Looks at which the same goroutine must still be in another's next slot to be taken from there.
constexpr int kNextPatience = 4;

Processor& processor(uint32_t index) {
  return g_sched.processors[index];
}

uint32_t made_count() {
  // Acquire: pairs with the release where processors are made.
  return static_cast<uint32_t>(g_sched.made_count.load(std::memory_order_acquire));
}

// Half of the queue of some other processor, beginning with a random one.
Goroutine* steal_queues(Processor& p) {
  uint32_t count = made_count();
  auto start = static_cast<uint32_t>(p.draw() % count);
  for (uint32_t i = 0; i < count; ++i) {
    Processor& victim = processor((start + i) % count);
    if (&victim != &p && victim.queue.size() != 0) {
      if (Goroutine* g = p.queue.steal_half(victim.queue); g != nullptr) {
        return g;
      }
    }
  }
  return nullptr;
}

// What another processor has next, and is busy enough not to have begun for a while.
class NextWatch {
 public:
  Goroutine* look(Processor& p) {
    uint32_t count = made_count();
    for (uint32_t i = 0; i < count; ++i) {
      Processor& victim = processor(i);
      Goroutine* g = victim.next.load(std::memory_order_relaxed);
      if (&victim == &p || g == nullptr) {
        continue;
      }
      uint32_t tick = victim.tick.load(std::memory_order_relaxed);
      if (g != seen_ || tick != tick_ || &victim != victim_) {
        victim_ = &victim;
        seen_ = g;
        tick_ = tick;
        times_ = 0;
        return nullptr;
      }
      // Acquire: pairs with the release in put_next.
      if (++times_ >= kNextPatience &&
          victim.next.compare_exchange_strong(g, nullptr, std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
        return g;
      }
      return nullptr;
    }
    return nullptr;
  }

 private:
  Processor* victim_ = nullptr;
  Goroutine* seen_ = nullptr;
  uint32_t tick_ = 0;
  int times_ = 0;
};

bool may_spin(const Worker& w) {
  if (w.spinning) {
    return true;
  }
  // At most half as many as there are busy processors: looking costs those who work.
  int busy = g_sched.processor_count.load(std::memory_order_relaxed) -
             g_sched.idle_count.load(std::memory_order_relaxed);
  return 2 * g_sched.spinning.load(std::memory_order_relaxed) < busy;
}

// What the poller has now; the first of it is returned. Null also when another waits there.
Goroutine* poll_now() {
  int64_t last = g_sched.last_poll_ns.load(std::memory_order_relaxed);
  if (last == 0 || poll_waiters() == 0) {
    return nullptr;
  }
  GoroutineList list = poll_events(0);
  g_sched.last_poll_ns.compare_exchange_strong(last, os::monotonic_ns(), std::memory_order_seq_cst);
  Goroutine* g = list.pop();
  if (!list.empty()) {
    ready_list(list);
  }
  return g;
}

// Every kFairTick-th choice: what a busy queue would keep waiting.
Goroutine* find_fairly(Worker& w) {
  Processor& p = *w.processor;
  if (Goroutine* g = poll_now(); g != nullptr) {
    return g;
  }
  bool global_first = p.global_first = !p.global_first;
  Goroutine* g = global_first ? take_global(p) : p.queue.pop();
  if (g == nullptr) {
    g = global_first ? p.queue.pop() : take_global(p);
  }
  return g;
}

// What tests put where a wake-up could be lost.
void linger_in_tests() {
  if (SchedTestPeer::slow_recheck.load(std::memory_order_relaxed)) {
    for (int i = 0; i < 2000; ++i) {
      arch::pause();
    }
  }
}

// Gives the processor up and looks once more at what may have come meanwhile. True: the worker has
// a processor and something is there.
bool give_up(Worker& w, Goroutine*& found) {
  Processor* p = w.processor;
  linger_in_tests();
  {
    MutexLock hold(g_sched.lock);
    found = take_global_locked(*p);
    if (found != nullptr) {
      return true;
    }
    unbind(w);
    put_idle(p);
  }
  linger_in_tests();
  if (!stop_spinning(w) && SchedTestPeer::only_spinners_look.load(std::memory_order_relaxed)) {
    return false;
  }
  if (SchedTestPeer::skip_recheck.load(std::memory_order_relaxed) || !work_anywhere()) {
    return false;
  }
  Processor* idle = nullptr;
  {
    MutexLock hold(g_sched.lock);
    idle = take_idle();
  }
  if (idle == nullptr) {
    return false;
  }
  bind(w, idle);
  start_spinning(w);
  return true;
}

// Waits in the poller until something is ready, a timer is due, or somebody interrupts. True: the
// worker has a processor again. REQUIRES: it has none, and last_poll_ns is 0 by this worker.
bool wait_in_poller(Worker& w, int64_t until, Goroutine*& found) {
  g_sched.poll_until_ns.store(until, std::memory_order_seq_cst);
  int64_t delay = until == kNever ? -1 : std::max<int64_t>(0, until - os::monotonic_ns());
  GoroutineList list = poll_events(delay);
  g_sched.poll_until_ns.store(0, std::memory_order_seq_cst);
  g_sched.last_poll_ns.store(os::monotonic_ns(), std::memory_order_seq_cst);
  Processor* p = nullptr;
  {
    MutexLock hold(g_sched.lock);
    p = take_idle();
  }
  if (p == nullptr) {
    if (!list.empty()) {
      ready_list(list);
    }
    return false;
  }
  bind(w, p);
  found = list.pop();
  if (!list.empty()) {
    ready_list(list);
  }
  run_all_timers(os::monotonic_ns());
  return true;
}

// Without work: the worker sleeps, in the poller or on its futex, until it has a processor again.
// Gives something to run, or null: look again.
Goroutine* idle(Worker& w) {
  Goroutine* found = nullptr;
  if (w.fruitless) {
    w.fruitless = false;
    g_sched.fruitless_wakes.fetch_add(1, std::memory_order_relaxed);
  }
  if (give_up(w, found)) {
    return found;
  }
  int64_t until = earliest_timer();
  if (until != kNever || poll_waiters() > 0) {
    if (g_sched.last_poll_ns.exchange(0, std::memory_order_seq_cst) != 0) {
      if (wait_in_poller(w, until, found)) {
        return found;
      }
    } else if (until != kNever) {
      wake_for_timer(until);
    }
  }
  sleep_worker(w);
  return nullptr;
}

}  // namespace

void start_spinning(Worker& w) {
  w.spinning = true;
  g_sched.spinning.fetch_add(1, std::memory_order_seq_cst);
}

bool stop_spinning(Worker& w) {
  bool was = std::exchange(w.spinning, false);
  if (was) {
    // Seq_cst: see sched.h, "No wake-up is lost".
    g_sched.spinning.fetch_sub(1, std::memory_order_seq_cst);
  }
  return was;
}

bool work_anywhere() {
  if (g_sched.global_count.load(std::memory_order_seq_cst) != 0) {
    return true;
  }
  uint32_t count = made_count();
  for (uint32_t i = 0; i < count; ++i) {
    if (processor(i).has_work()) {
      return true;
    }
  }
  return false;
}

int64_t earliest_timer() {
  int64_t earliest = kNever;
  uint32_t count = made_count();
  for (uint32_t i = 0; i < count; ++i) {
    earliest = std::min(earliest, processor(i).timers.earliest());
  }
  return earliest;
}

size_t run_all_timers(int64_t now) {
  size_t ran = 0;
  uint32_t count = made_count();
  for (uint32_t i = 0; i < count; ++i) {
    ran += processor(i).timers.run(now);
  }
  return ran;
}

Goroutine* steal_work(Worker& w) {
  Processor& p = *w.processor;
  NextWatch watch;
  for (int spin = 0; spin < kSpins && !p.retiring.load(std::memory_order_relaxed); ++spin) {
    if (Goroutine* g = steal_queues(p); g != nullptr) {
      return g;
    }
    if (Goroutine* g = take_global(p); g != nullptr) {
      return g;
    }
    if (spin == 1 && earliest_timer() != kNever && run_all_timers(os::monotonic_ns()) > 0) {
      if (Goroutine* g = take_local(p); g != nullptr) {
        return g;
      }
    }
    if (Goroutine* g = watch.look(p); g != nullptr) {
      return g;
    }
    for (int i = 0; i < kPausesASpin; ++i) {
      arch::pause();
    }
  }
  return nullptr;
}

Goroutine* find_runnable(Worker& w) {
  bool fair = true;
  while (true) {
    Processor& p = *w.processor;
    if (p.retiring.load(std::memory_order_relaxed)) {
      stop_spinning(w);
      unbind(w);
      {
        MutexLock hold(g_sched.lock);
        put_idle(&p);
      }
      if (work_anywhere() && wanted_elsewhere()) {
        wake_processor();
      }
      sleep_worker(w);
      continue;
    }
    if (p.timers.earliest() != kNever) {
      p.timers.run(os::monotonic_ns());
    }
    if (fair && p.tick.load(std::memory_order_relaxed) % kFairTick == 0) {
      fair = false;
      if (Goroutine* g = find_fairly(w); g != nullptr) {
        return g;
      }
    }
    Goroutine* g = take_local(p);
    if (g == nullptr) {
      g = take_global(p);
    }
    if (g == nullptr) {
      g = poll_now();
    }
    if (g == nullptr && may_spin(w)) {
      if (!w.spinning) {
        start_spinning(w);
      }
      g = steal_work(w);
    }
    if (g == nullptr && !p.retiring.load(std::memory_order_relaxed)) {
      g = idle(w);
    }
    if (g != nullptr) {
      return g;
    }
  }
}

}  // namespace burrow::sched
