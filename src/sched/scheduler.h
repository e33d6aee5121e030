// What the files of this layer share: the one scheduler. See sched.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/mutex.h"
#include "sched/goroutine.h"
#include "sched/processor.h"
#include "sched/stack.h"
#include "sched/worker.h"

namespace burrow::sched {

inline constexpr int kMaxProcessors = 256;
/// How often a worker looks beyond its own queue: each time `tick` is a multiple.
inline constexpr uint32_t kFairTick = 61;
/// The same for its own timers.
inline constexpr uint32_t kTimerTick = 8;

struct Scheduler {
  Mutex lock{LockRank::kSched};
  GoroutineList global BURROW_GUARDED_BY(lock);
  Processor* idle_processors BURROW_GUARDED_BY(lock) = nullptr;
  Worker* idle_workers BURROW_GUARDED_BY(lock) = nullptr;
  Worker* workers BURROW_GUARDED_BY(lock) = nullptr;  ///< all, through next_of_all
  int worker_count BURROW_GUARDED_BY(lock) = 0;
  int sleeping_workers BURROW_GUARDED_BY(lock) = 0;
  int runs BURROW_GUARDED_BY(lock) = 0;  ///< calls of `run` in progress
  GoroutineList free_goroutines BURROW_GUARDED_BY(lock);
  bool monitor_sleeps BURROW_GUARDED_BY(lock) = false;

  // Changed under the lock, read without it too.
  alignas(64) std::atomic<uint32_t> global_count{0};
  std::atomic<int> idle_count{0};       ///< idle processors
  std::atomic<int> processor_count{0};  ///< processors in use: the first so many
  std::atomic<int> made_count{0};       ///< processors that have ever been in use

  alignas(64) std::atomic<int> spinning{0};  ///< workers that look for work
  std::atomic<int> lent{0};                  ///< processors of workers in `blocking`, not yet taken
  std::atomic<int> threads_waiting{0};       ///< plain threads asleep in a Waiter or in `run`
  std::atomic<int> threads_committing{0};    ///< of these, not yet past their commit
  std::atomic<bool> deadlock_unchecked{false};  ///< check_deadlock left it to one of those
  std::atomic<int64_t> last_poll_ns{0};         ///< 0: a worker waits in the poller
  std::atomic<int64_t> poll_until_ns{0};        ///< till then
  std::atomic<int> fruitless_wakes{0};          ///< in a row; see wake_for_next
  std::atomic<uint64_t> next_id{1};
  std::atomic<int64_t> balance{0};  ///< as Processor::balance, for plain threads
  std::atomic<bool> started{false};
  std::atomic<bool> forked{false};
  std::atomic<uint32_t> monitor_wake{0};
  std::atomic<uint64_t> rescues{0};  ///< times that the monitor found work that nobody had seen

  std::array<Processor, kMaxProcessors> processors;
};

extern constinit Scheduler g_sched;

/// Starts it if it has not been. Any thread.
void start();
/// What cannot be done in the child of a fork.
[[noreturn]] void refuse_in_child();

// --- queues (queues.cc) -----------------------------------------------------------------------

/// Appends to the calling worker's queue; the first half goes to the global one when it is full.
void push_half(Processor& p, Goroutine* g);

inline void push_local(Processor& p, Goroutine* g) {
  if (BURROW_UNLIKELY(!p.queue.push(g))) {
    push_half(p, g);
  }
}

void push_global(Goroutine* g) BURROW_EXCLUDES(g_sched.lock);
void push_global(GoroutineList& list) BURROW_EXCLUDES(g_sched.lock);
/// A share of the global queue: returns one, queues the others at `p`.
[[nodiscard]] Goroutine* take_global(Processor& p) BURROW_EXCLUDES(g_sched.lock);
[[nodiscard]] Goroutine* take_global_locked(Processor& p) BURROW_REQUIRES(g_sched.lock);

/// Takes what is in the next slot. Owner only, as the next three.
[[nodiscard]] inline Goroutine* take_next(Processor& p, const Solitude::Turn& turn) {
  // Relaxed: the owner is the only one that puts something in.
  Goroutine* g = p.next.load(std::memory_order_relaxed);
  if (g != nullptr && turn.alone()) {
    turn.halfway();
    p.next.store(nullptr, std::memory_order_relaxed);
    return g;
  }
  // Acquire: pairs with the release in put_next.
  if (g != nullptr && p.next.compare_exchange_strong(g, nullptr, std::memory_order_acquire,
                                                     std::memory_order_relaxed)) {
    return g;
  }
  return nullptr;
}

/// Takes the front of the queue.
[[nodiscard]] inline Goroutine* take_front(Processor& p, const Solitude::Turn& turn) {
  if (!turn.alone()) {
    return p.queue.pop();
  }
  uint32_t head = 0;
  Goroutine* g = p.queue.front_alone(head);
  if (g != nullptr) {
    turn.halfway();
    p.queue.drop_front_alone(head);
  }
  return g;
}

/// Takes the next slot, or the front of the queue.
[[nodiscard]] inline Goroutine* take_local(Processor& p) {
  Solitude::Turn turn(p.solitude);
  Goroutine* g = take_next(p, turn);
  return g != nullptr ? g : take_front(p, turn);
}

/// Puts something into the next slot; what was there.
[[nodiscard]] inline Goroutine* exchange_next(Processor& p, Goroutine* g, bool& alone) {
  Solitude::Turn turn(p.solitude);
  alone = turn.alone();
  if (alone) {
    Goroutine* former = p.next.load(std::memory_order_relaxed);
    turn.halfway();
    // Release: pairs with the acquires of takers.
    p.next.store(g, std::memory_order_release);
    return former;
  }
  // Release: as above. Seq_cst: see sched.h, "No wake-up is lost".
  return p.next.exchange(g, std::memory_order_seq_cst);
}

/// Work of other processors: see find.cc.
[[nodiscard]] Goroutine* steal_work(Worker& w);

/// kWaiting to kRunnable; false: whoever holds the goroutine will see to it.
[[nodiscard]] bool make_runnable(Goroutine* g);
/// Queues goroutines that are runnable already, wherever the caller is, and wakes for them.
void ready_list(GoroutineList& list);
/// Puts a runnable goroutine where `ready` would.
void put_next(Worker& w, Goroutine* g);

// --- idling and waking (wake.cc) --------------------------------------------------------------

/// After work was published: wakes a worker to look for it, if there is a processor for it and
/// nobody looks already.
inline bool wanted_elsewhere() {
  // Seq_cst: see sched.h, "No wake-up is lost".
  return (g_sched.idle_count.load(std::memory_order_seq_cst) != 0 ||
          g_sched.lent.load(std::memory_order_seq_cst) != 0) &&
         g_sched.spinning.load(std::memory_order_seq_cst) == 0;
}

void wake_processor();
/// The same for work in `p`'s next slot with nothing behind it, which `p` itself mostly runs
/// before another could.
void wake_for_next(Processor& p);
/// For a timer that is now the first of its heap.
void wake_for_timer(int64_t when_ns);
/// Sets the worker to run `p`; a new thread when none is idle. `spinning`: it is counted already.
void start_worker(Processor* p, bool spinning) BURROW_EXCLUDES(g_sched.lock);
/// Lets another worker have `p`, if there is anything to do, or puts it to the idle ones.
void hand_on(Processor* p) BURROW_EXCLUDES(g_sched.lock);
/// Sleeps until somebody gives the worker a processor.
void sleep_worker(Worker& w) BURROW_EXCLUDES(g_sched.lock);
void put_idle(Processor* p) BURROW_REQUIRES(g_sched.lock);
[[nodiscard]] Processor* take_idle() BURROW_REQUIRES(g_sched.lock);
/// Takes the processor of a worker that is in `blocking`; null when there is none.
[[nodiscard]] Processor* take_lent();
/// When the first timer of all is due.
[[nodiscard]] int64_t earliest_timer();
/// Runs what is due at all processors' heaps. REQUIRES: on a worker's own stack.
size_t run_all_timers(int64_t now);
/// The worker counts as looking for work.
void start_spinning(Worker& w);
/// The worker does not count as looking for work any more; false if it did not.
bool stop_spinning(Worker& w);
/// True when some processor has something to run.
[[nodiscard]] bool work_anywhere();
/// Where the C++ runtime keeps the calling thread's exceptions.
[[nodiscard]] ExceptionGlobals* thread_exceptions();
void bind(Worker& w, Processor* p);
void unbind(Worker& w);

// --- running (switch.cc, find.cc) -------------------------------------------------------------

/// Runs goroutines for ever: the main function of workers.
[[noreturn]] void worker_main(Worker& w);
/// The next goroutine for a worker; sleeps until there is one.
[[nodiscard]] Goroutine* find_runnable(Worker& w);
/// Leaves the calling goroutine's stack for another goroutine at hand, or for the worker's.
void leave(Worker* w, AfterSwitch after, ParkCommit commit, void* argument);
/// The end of the calling goroutine.
[[noreturn]] void exit_goroutine();

// --- goroutines without work (spawn.cc) -------------------------------------------------------

/// Keeps a goroutine without work; `p` null: for all.
void keep_free(Processor* p, Goroutine* g);
/// The same for one that has run to its end.
void end_goroutine(Processor* p, Goroutine* g);
/// What a new stack begins with.
[[nodiscard]] void (*goroutine_entry())(void*, void*);

// --- the monitor, deadlock, stress ------------------------------------------------------------

void start_monitor();
void wake_monitor() BURROW_REQUIRES(g_sched.lock);
/// Ends the program when nothing can ever run again.
void check_deadlock();

/// BURROW_DEBUG=schedstress=1: choices that are normally made for speed are made at random.
BURROW_HIDDEN extern constinit std::atomic<bool> g_stress;
[[nodiscard]] bool stress_draw(uint32_t one_in);
/// Disorders the queue, or not; true: the worker is to look everywhere.
[[nodiscard]] bool stress_shuffle(Processor& p);

/// What tests change or break on purpose.
struct SchedTestPeer {
  /// Leaves out the second look of a worker that goes to sleep.
  static std::atomic<bool> skip_recheck;
  /// Leaves it out for workers that were not spinning.
  static std::atomic<bool> only_spinners_look;
  /// Widens the moments before that look and before the processor is given up.
  static std::atomic<bool> slow_recheck;
  /// Keeps the monitor from finding work that nobody saw.
  static std::atomic<bool> no_rescue;
  /// A lone processor gets company without having been waited for.
  static std::atomic<bool> no_wait_for_turn;
};

}  // namespace burrow::sched
