// fork on Linux, with glibc. See os/fork.h.
#include "os/fork.h"

#include <pthread.h>

#include <atomic>

#include "base/annotations.h"
#include "base/hold.h"
#include "os/signal_mask.h"
#include "os/stop.h"

// glibc's list of FILEs: exported for ever, declared nowhere.
// NOLINTBEGIN(readability-identifier-naming): glibc's names
extern "C" {
[[gnu::weak]] void _IO_list_lock();
[[gnu::weak]] void _IO_list_unlock();
[[gnu::weak]] void _IO_list_resetlock();
}

// NOLINTEND(readability-identifier-naming)

namespace burrow::os {
namespace {

// In the order of ranks. Added to by constructors only.
constinit ForkPart* g_parts = nullptr;
constinit std::atomic<bool> g_installed{false};

// A fork of the calling thread that is underway.
struct Underway {
  int depth = 0;       ///< forks inside forks
  bool whole = false;  ///< the outermost holds the locks
  SignalMask mask;     ///< what it was before
};

constinit thread_local Underway t_fork;

template <typename F>
void for_each_part(F f) {
  for (ForkPart* part = g_parts; part != nullptr; part = part->next) {
    f(*part);
  }
}

bool has_locks(const ForkPart& part) {
  return part.each_lock != nullptr && over_fork(part.rank) == OverFork::kTaken &&
         part.rank != g_fork_faults.left_out;
}

bool is_brief(const ForkPart& part) {
  return part.rank >= kFirstBrief;
}

bool interrupts_burrow() {
  bool inside = t_hold.depth != 0 || t_hold.long_locks != 0;
  for_each_part(
      [&](const ForkPart& part) { inside = inside || (part.inside != nullptr && part.inside()); });
  return inside;
}

void take(RankedMutex& lock) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  lock.lock_for_fork();
}

void let_go(RankedMutex& lock) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  lock.unlock_after_fork();
}

void lock_files() {
  if (_IO_list_lock != nullptr) {
    _IO_list_lock();
  }
}

void unlock_files() {
  if (_IO_list_unlock != nullptr) {
    _IO_list_unlock();
  }
}

// The first of the long locks that could not be had; all that were had before it are free again.
RankedMutex* try_long_locks() {
  struct Attempt {
    RankedMutex* failed = nullptr;
    int taken = 0;
  };

  // Captures nothing: `each_lock` takes a plain function.
  static constinit thread_local Attempt t_attempt;
  t_attempt = {};
  for_each_part([](ForkPart& part) {
    if (has_locks(part) && !is_brief(part)) {
      part.each_lock([](RankedMutex& lock) BURROW_NO_THREAD_SAFETY_ANALYSIS {
        if (t_attempt.failed == nullptr && lock.try_lock_for_fork()) {
          ++t_attempt.taken;
        } else if (t_attempt.failed == nullptr) {
          t_attempt.failed = &lock;
        }
      });
    }
  });
  if (t_attempt.failed != nullptr) {
    for_each_part([](ForkPart& part) {
      if (has_locks(part) && !is_brief(part)) {
        part.each_lock([](RankedMutex& lock) {
          if (t_attempt.taken > 0) {
            --t_attempt.taken;
            let_go(lock);
          }
        });
      }
    });
  }
  return t_attempt.failed;
}

void block_signals() {
  t_fork.mask = change_signal_mask(MaskChange::kBlock, SignalMask::all().without(stop_signal()));
  ++t_fork.depth;
}

void unblock_signals() {
  --t_fork.depth;
  change_signal_mask(MaskChange::kSet, t_fork.mask);
}

// Signals are blocked on return, and the list of FILEs and all long locks are this thread's.
void take_files_and_long_locks() {
  for (;;) {
    block_signals();
    lock_files();
    RankedMutex* busy = try_long_locks();
    if (busy == nullptr) {
      return;
    }
    unlock_files();
    unblock_signals();
    take(*busy);
    let_go(*busy);
  }
}

void before() {
  if (t_fork.depth > 0 || interrupts_burrow()) {
    ++t_fork.depth;
    return;
  }
  for_each_part([](const ForkPart& part) {
    if (part.ready != nullptr) {
      part.ready();
    }
  });
  take_files_and_long_locks();
  for_each_part([](ForkPart& part) {
    if (has_locks(part) && is_brief(part)) {
      part.each_lock(take);
    }
  });
  t_fork.whole = true;
  for_each_part([](ForkPart& part) {
    part.held = has_locks(part);
    if (part.taken != nullptr) {
      part.taken();
    }
  });
}

void free_locks(bool in_child) {
  for_each_part([in_child](ForkPart& part) {
    if (part.held) {
      part.held = false;
      part.each_lock(in_child ? [](RankedMutex& lock) { lock.reset_after_fork(); } : let_go);
    }
  });
}

void tell_freed() {
  for_each_part([](const ForkPart& part) {
    if (part.freed != nullptr) {
      part.freed();
    }
  });
}

void in_parent() {
  if (t_fork.depth > 1 || !t_fork.whole) {
    --t_fork.depth;
    return;
  }
  free_locks(/*in_child=*/false);
  unlock_files();
  t_fork.whole = false;
  tell_freed();
  unblock_signals();
}

void in_child() {
  bool outermost = t_fork.depth == 1;
  bool whole = outermost && t_fork.whole;
  count_fork(whole);
  free_locks(/*in_child=*/true);
  if (whole && _IO_list_resetlock != nullptr) {
    _IO_list_resetlock();  // glibc has done so where it saw threads
  }
  for_each_part([](const ForkPart& part) {
    if (part.child != nullptr) {
      part.child();
    }
  });
  if (!whole) {
    --t_fork.depth;
    return;
  }
  t_fork.whole = false;
  tell_freed();
  unblock_signals();
}

// After the constructors that add parts.
__attribute__((constructor(103))) void install() {
  install_fork_handler();
}

}  // namespace

void add_fork_part(ForkPart& part) {
  ForkPart** at = &g_parts;
  while (*at != nullptr && (*at)->rank <= part.rank) {
    at = &(*at)->next;
  }
  part.next = *at;
  *at = &part;
}

void install_fork_handler() {
  if (!g_installed.exchange(true, std::memory_order_relaxed)) {
    pthread_atfork(before, in_parent, in_child);
  }
}

}  // namespace burrow::os
