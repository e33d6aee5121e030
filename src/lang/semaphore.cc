// Semaphores and notify lists: what sync.h waits with. See lang.h.
#include <new>

#include "base/annotations.h"
#include "burrow/internal/sync.h"
#include "lang/queue_lock.h"
#include "lang/wait_queue.h"

namespace burrow::internal {
namespace {

using lang::WaitNode;

/// What `Semaphore` and `NotifyList` hold. All zero at first, so that they are
/// constant-initialised.
struct SemaphoreState {
  lang::QueueLock lock;
  uint32_t permits = 0;
  lang::WaitQueue waiters;
};

struct NotifyState {
  lang::QueueLock lock;
  /// The next ticket, and the next to be notified.
  std::atomic<uint32_t> next{0};
  uint32_t notified = 0;
  lang::WaitQueue waiters;
};

static_assert(sizeof(SemaphoreState) == sizeof(Semaphore));
static_assert(sizeof(NotifyState) == sizeof(NotifyList));

SemaphoreState& of(Semaphore& semaphore) {
  return *std::launder(reinterpret_cast<SemaphoreState*>(semaphore.state));
}

NotifyState& of(NotifyList& list) {
  return *std::launder(reinterpret_cast<NotifyState*>(list.state));
}

sched::WaitReason reason_of(SyncWait wait) {
  switch (wait) {
    case SyncWait::kMutex:
      return sched::WaitReason::kMutex;
    case SyncWait::kRWMutexRead:
      return sched::WaitReason::kRWMutexRead;
    case SyncWait::kRWMutexWrite:
      return sched::WaitReason::kRWMutexWrite;
    case SyncWait::kWaitGroup:
      return sched::WaitReason::kWaitGroup;
    case SyncWait::kCond:
      return sched::WaitReason::kCond;
  }
  return sched::WaitReason::kNone;
}

bool unlock(void* lock) {
  static_cast<lang::QueueLock*>(lock)->unlock();
  return true;
}

}  // namespace

BURROW_EXPORT void semaphore_acquire(Semaphore& semaphore, SyncWait reason, bool lifo) {
  SemaphoreState& state = of(semaphore);
  state.lock.lock();
  if (state.permits > 0) {
    --state.permits;
    state.lock.unlock();
    return;
  }
  sched::Waiter waiter;
  WaitNode node;
  node.waiter = &waiter;
  if (lifo) {
    state.waiters.push_front(node);
  } else {
    state.waiters.push_back(node);
  }
  waiter.wait(reason_of(reason), &unlock, &state.lock);
}

BURROW_EXPORT void semaphore_release(Semaphore& semaphore, uint32_t count, bool hand_off) {
  SemaphoreState& state = of(semaphore);
  WaitNode* woken = nullptr;
  WaitNode** end = &woken;
  state.lock.lock();
  for (; count > 0; --count) {
    WaitNode* node = state.waiters.take();
    if (node == nullptr) {
      break;
    }
    *end = node;
    end = &node->next;
  }
  *end = nullptr;
  state.permits += count;
  state.lock.unlock();
  if (woken != nullptr) {
    lang::finish_all(woken, true);
    if (hand_off) {
      sched::yield_now();
    }
  }
}

BURROW_EXPORT uint32_t notify_list_add(NotifyList& list) {
  // Relaxed: the caller holds the lock that it gives back next.
  return of(list).next.fetch_add(1, std::memory_order_relaxed);
}

BURROW_EXPORT void notify_list_wait(NotifyList& list, uint32_t ticket) {
  NotifyState& state = of(list);
  state.lock.lock();
  // Notified between the ticket and now. Tickets wrap around.
  if (static_cast<int32_t>(ticket - state.notified) < 0) {
    state.lock.unlock();
    return;
  }
  sched::Waiter waiter;
  WaitNode node;
  node.waiter = &waiter;
  node.ticket = ticket;
  state.waiters.push_back(node);
  waiter.wait(sched::WaitReason::kCond, &unlock, &state.lock);
}

BURROW_EXPORT void notify_list_notify(NotifyList& list, bool all) {
  NotifyState& state = of(list);
  state.lock.lock();
  uint32_t next = state.next.load(std::memory_order_relaxed);
  WaitNode* woken = nullptr;
  if (all) {
    state.notified = next;
    woken = state.waiters.take_all();
  } else if (state.notified != next) {
    // Its owner may not be in the queue yet: then it finds itself notified when it comes.
    uint32_t ticket = state.notified++;
    for (woken = state.waiters.first(); woken != nullptr && woken->ticket != ticket;) {
      woken = woken->next;
    }
    if (woken != nullptr) {
      state.waiters.remove(*woken);
      woken->next = nullptr;
    }
  }
  state.lock.unlock();
  lang::finish_all(woken, true);
}

}  // namespace burrow::internal
