// One thing that waits. See waiter.h.
#include "sched/waiter.h"

#include "base/futex.h"
#include "sched/scheduler.h"

namespace burrow::sched {

void Waiter::wait(WaitReason reason, ParkCommit commit, void* argument) {
  if (goroutine_ != nullptr) {
    park(reason, commit, argument);
    return;
  }
  // Relaxed: nobody knows of this wait before the commit.
  woken_.store(0, std::memory_order_relaxed);
  // Counted until somebody wakes it: what waits for nothing cannot wake others either. But the
  // commit still may.
  g_sched.threads_committing.fetch_add(1, std::memory_order_seq_cst);
  g_sched.threads_waiting.fetch_add(1, std::memory_order_seq_cst);
  bool waits = commit == nullptr || commit(argument);
  if (!waits) {
    g_sched.threads_waiting.fetch_sub(1, std::memory_order_seq_cst);
  }
  // Seq_cst: pairs with check_deadlock, which sees this count or is seen to have come.
  g_sched.threads_committing.fetch_sub(1, std::memory_order_seq_cst);
  if (g_sched.deadlock_unchecked.load(std::memory_order_seq_cst) &&
      g_sched.deadlock_unchecked.exchange(false, std::memory_order_seq_cst)) {
    check_deadlock();
  }
  if (!waits) {
    return;
  }
  // Acquire: pairs with the release in wake_thread.
  while (woken_.load(std::memory_order_acquire) == 0) {
    futex_wait(woken_, 0);
  }
}

void Waiter::wake_thread() {
  g_sched.threads_waiting.fetch_sub(1, std::memory_order_seq_cst);
  // Release: pairs with the acquire in wait. The waiter may be gone from here on; waking an
  // address is harmless whatever is there.
  woken_.store(1, std::memory_order_release);
  futex_wake_one(woken_);
}

void Waiter::wake() {
  if (goroutine_ != nullptr) {
    ready(goroutine_);
  } else {
    wake_thread();
  }
}

void Waiter::wake_last() {
  if (goroutine_ != nullptr) {
    ready_last(goroutine_);
  } else {
    wake_thread();
  }
}

}  // namespace burrow::sched
