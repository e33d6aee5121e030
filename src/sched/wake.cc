// Who runs and who sleeps: processors and workers change hands here. See sched.h, How 3.
#include <algorithm>
#include <new>

#include "base/check.h"
#include "base/futex.h"
#include "heap/processor_cache.h"
#include "os/os.h"
#include "os/stack_memory.h"
#include "os/thread.h"
#include "sched/poller.h"
#include "sched/scheduler.h"

extern "C" {
constinit thread_local void* burrow_worker = nullptr;
}

namespace burrow::sched {
namespace {

constexpr int kMostFruitless = 10;

void thread_main(void* raw) {
  auto* w = static_cast<Worker*>(raw);
  burrow_worker = w;
  w->thread_id = os::thread_id();
  w->errno_address = os::errno_address();
  w->exceptions = thread_exceptions();
  os::adopt_thread(w->fiber);
  os::use_signal_stack();
  bind(*w, w->given);
  worker_main(*w);
}

// A new thread for `p`; false when the system has none.
bool new_worker(Processor* p, bool spinning) {
  void* memory = os::map_memory(sizeof(Worker));
  if (memory == nullptr) {
    return false;
  }
  auto* w = new (memory) Worker;
  w->given = p;
  w->spinning = w->fruitless = spinning;
  {
    MutexLock hold(g_sched.lock);
    w->next_of_all = g_sched.workers;
    g_sched.workers = w;
    ++g_sched.worker_count;
  }
  if (os::start_thread("burrow-worker", thread_main, w)) {
    return true;
  }
  MutexLock hold(g_sched.lock);
  Worker** at = &g_sched.workers;
  while (*at != w) {
    at = &(*at)->next_of_all;
  }
  *at = w->next_of_all;
  --g_sched.worker_count;
  os::unmap_memory(memory, sizeof(Worker));
  return false;
}

}  // namespace

void bind(Worker& w, Processor* p) {
  p->state.store(ProcessorState::kRunning, std::memory_order_relaxed);
  w.processor = p;
  heap::bind_cache(p->cache);
}

void unbind(Worker& w) {
  heap::bind_cache(nullptr);
  w.processor = nullptr;
}

void put_idle(Processor* p) {
  if (p->index >= static_cast<uint32_t>(g_sched.processor_count.load(std::memory_order_relaxed))) {
    GoroutineList left;
    while (Goroutine* g = take_local(*p)) {
      left.push(g);
    }
    g_sched.global_count.fetch_add(static_cast<uint32_t>(left.count), std::memory_order_seq_cst);
    g_sched.global.append(left);
    p->state.store(ProcessorState::kRetired, std::memory_order_relaxed);
    return;
  }
  p->state.store(ProcessorState::kIdle, std::memory_order_relaxed);
  p->next_idle = g_sched.idle_processors;
  g_sched.idle_processors = p;
  // Seq_cst: see sched.h, "No wake-up is lost".
  g_sched.idle_count.fetch_add(1, std::memory_order_seq_cst);
}

Processor* take_idle() {
  Processor* p = g_sched.idle_processors;
  if (p != nullptr) {
    g_sched.idle_processors = p->next_idle;
    g_sched.idle_count.fetch_sub(1, std::memory_order_seq_cst);
    wake_monitor();
  }
  return p;
}

Processor* take_lent() {
  if (g_sched.lent.load(std::memory_order_seq_cst) == 0) {
    return nullptr;
  }
  int count = g_sched.made_count.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    Processor& p = g_sched.processors[static_cast<size_t>(i)];
    ProcessorState state = p.state.load(std::memory_order_relaxed);
    // Acquire: pairs with the release in enter_blocking: all of the processor is seen.
    if (state == ProcessorState::kBlocking &&
        p.state.compare_exchange_strong(state, ProcessorState::kIdle, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
      g_sched.lent.fetch_sub(1, std::memory_order_seq_cst);
      return &p;
    }
  }
  return nullptr;
}

void start_worker(Processor* p, bool spinning) {
  Worker* w = nullptr;
  {
    MutexLock hold(g_sched.lock);
    w = g_sched.idle_workers;
    if (w != nullptr) {
      g_sched.idle_workers = w->next_idle;
      --g_sched.sleeping_workers;
    }
  }
  if (w != nullptr) {
    w->given = p;
    w->spinning = w->fruitless = spinning;
    // Release: pairs with the acquire in sleep_worker.
    w->wake.store(1, std::memory_order_release);
    futex_wake_one(w->wake);
    return;
  }
  if (new_worker(p, spinning)) {
    return;
  }
  if (spinning) {
    g_sched.spinning.fetch_sub(1, std::memory_order_seq_cst);
  }
  MutexLock hold(g_sched.lock);
  if (g_sched.worker_count == 0) {
    fatal("the system gives no thread to run goroutines on; see ulimit -u and ulimit -v");
  }
  put_idle(p);
}

void wake_processor() {
  if (BURROW_UNLIKELY(g_sched.forked.load(std::memory_order_relaxed))) {
    return;  // nobody is there
  }
  int none = 0;
  if (!g_sched.spinning.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) {
    return;
  }
  Processor* p = nullptr;
  {
    MutexLock hold(g_sched.lock);
    p = take_idle();
  }
  if (p == nullptr) {
    p = take_lent();
  }
  if (p == nullptr) {
    // Whoever saw this thread spin relies on it. What becomes idle from now on is looked around
    // from, and woken by those who see it.
    MutexLock hold(g_sched.lock);
    p = take_idle();
    if (p == nullptr) {
      g_sched.spinning.fetch_sub(1, std::memory_order_seq_cst);
      return;
    }
  }
  start_worker(p, true);
}

void wake_for_next(Processor& p) {
  if (p.wakes_to_skip > 0) {
    --p.wakes_to_skip;
    return;
  }
  int fruitless = std::min(g_sched.fruitless_wakes.load(std::memory_order_relaxed), kMostFruitless);
  p.wakes_to_skip = (uint32_t{1} << fruitless) - 1;
  wake_processor();
}

void wake_for_timer(int64_t when_ns) {
  // Seq_cst: see sched.h, "No wake-up is lost".
  if (g_sched.last_poll_ns.load(std::memory_order_seq_cst) == 0) {
    int64_t until = g_sched.poll_until_ns.load(std::memory_order_seq_cst);
    if (until == 0 || until > when_ns) {
      interrupt_poller();
    }
  } else if (wanted_elsewhere()) {
    wake_processor();
  }
}

void hand_on(Processor* p) {
  // Relaxed: the look under the lock is the one that counts.
  if (p->has_work() || g_sched.global_count.load(std::memory_order_relaxed) != 0) {
    start_worker(p, false);
    return;
  }
  int none = 0;
  if (g_sched.idle_count.load(std::memory_order_seq_cst) == 0 &&
      g_sched.spinning.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) {
    start_worker(p, true);
    return;
  }
  {
    MutexLock hold(g_sched.lock);
    if (g_sched.global.empty()) {
      put_idle(p);
      p = nullptr;
    }
  }
  if (p != nullptr) {
    start_worker(p, false);
    return;
  }
  // See sched.h, "No wake-up is lost".
  if (work_anywhere() && wanted_elsewhere()) {
    wake_processor();
  }
  if (int64_t when = earliest_timer(); when != kNever) {
    wake_for_timer(when);
  }
}

void sleep_worker(Worker& w) {
  bool all_asleep = false;
  {
    MutexLock hold(g_sched.lock);
    w.next_idle = g_sched.idle_workers;
    g_sched.idle_workers = &w;
    ++g_sched.sleeping_workers;
    all_asleep = g_sched.sleeping_workers == g_sched.worker_count;
  }
  if (all_asleep) {
    check_deadlock();
  }
  // Acquire: pairs with the release in start_worker.
  while (w.wake.load(std::memory_order_acquire) == 0) {
    futex_wait(w.wake, 0);
  }
  w.wake.store(0, std::memory_order_relaxed);
  bind(w, w.given);
}

}  // namespace burrow::sched
