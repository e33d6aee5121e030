// The ranked mutex. See mutex.h.
#include "base/mutex.h"

#include "base/check.h"

namespace burrow {

constinit std::atomic<uint32_t> g_fork_count{0};

namespace {

// A signal handler forked that had interrupted Burrow itself: nothing was taken then.
constinit bool g_forked_inside = false;

}  // namespace

void count_fork(bool whole) {
  g_fork_count.fetch_add(1, std::memory_order_relaxed);
  g_forked_inside = g_forked_inside || !whole;
}

#ifndef NDEBUG
namespace {

// The ranks this thread holds, as a bit set. thread_local, so no other thread looks at it.
thread_local uint32_t t_held_ranks = 0;

}  // namespace

void RankedMutex::note_acquire() {
  uint32_t bit = uint32_t{1} << static_cast<uint32_t>(rank_);
  if (t_held_ranks >= bit) {
    fatal("lock order: rank ", static_cast<uint32_t>(rank_), " taken while holding ranks ",
          Hex(t_held_ranks), " (see LockRank)");
  }
  t_held_ranks |= bit;
}

void RankedMutex::note_release() {
  t_held_ranks &= ~(uint32_t{1} << static_cast<uint32_t>(rank_));
}
#endif

bool RankedMutex::try_lock() {
  begin_brief();
  bool taken = try_lock_for_fork();
  if (taken) {
    note_acquire();
  } else {
    end_brief();
  }
  return taken;
}

// The lock was another thread's in the parent when this process was forked.
void RankedMutex::take_over() const {
  if (over_fork(rank_) == OverFork::kTaken && !g_forked_inside) {
    fatal("lock of rank ", static_cast<uint32_t>(rank_),
          " was held by a thread of the parent when this process was forked, and fork did not wait "
          "for it (see ForkPart)");
  }
}

void RankedMutex::lock_slow() {
  for (int i = 0; i < 100; ++i) {
    uint32_t expected = kFree;
    // Acquire: pairs with the release in unlock.
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(expected, here(kHeld), std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return;
    }
    __builtin_ia32_pause();
  }
  for (;;) {
    // Acquire: pairs with the release in unlock.
    uint32_t before = state_.exchange(here(kContended), std::memory_order_acquire);
    if (before == kFree) {
      return;
    }
    if (left_behind(before)) {
      take_over();
      return;
    }
    futex_wait(state_, here(kContended));
  }
}

void RankedMutex::lock_for_fork() {
  uint32_t expected = kFree;
  // Acquire: pairs with the release in unlock.
  if (!state_.compare_exchange_strong(expected, here(kHeld), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
    lock_slow();
  }
}

bool RankedMutex::try_lock_for_fork() {
  uint32_t expected = kFree;
  // Acquire: pairs with the release in unlock.
  while (!state_.compare_exchange_strong(expected, here(kHeld), std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
    if (!left_behind(expected)) {
      return false;
    }
    take_over();
  }
  return true;
}

void RankedMutex::unlock_after_fork() {
  // Release: pairs with the acquires in lock, lock_slow and try_lock.
  if (is_contended(state_.exchange(kFree, std::memory_order_release))) {
    futex_wake_one(state_);
  }
}

void RankedMutex::reset_after_fork() {
  state_.store(kFree, std::memory_order_relaxed);
}

}  // namespace burrow
