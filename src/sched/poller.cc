// Waiting for file descriptors. See poller.h.
//
// Nothing is kept of a descriptor but who waits for it: a list of waits in a hash table. So there
// is nothing to go wrong when the program closes it and the number comes back as another file.
#include "sched/poller.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/check.h"
#include "base/mutex.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

constexpr size_t kBuckets = 1024;

// One goroutine's wait; on its stack.
struct FdWait {
  int fd = -1;
  os::PollEvents wanted;
  Goroutine* goroutine = nullptr;
  FdWait* next = nullptr;
  bool queued = false;  // in the bucket; under its lock
  bool ready = false;   // why it ended
  int64_t deadline_ns = kNever;
  Timer timer;
};

struct Bucket {
  Mutex lock{LockRank::kSchedPoll};
  FdWait* first BURROW_GUARDED_BY(lock) = nullptr;
};

// Not constructed at run time: a Mutex is constant-initialised.
constinit std::array<Bucket, kBuckets> g_buckets;
constinit os::PollSet g_set;
constinit std::atomic<int> g_waiters{0};

Bucket& bucket_of(int fd) {
  return g_buckets[static_cast<size_t>(fd) % kBuckets];
}

void take_out(Bucket& bucket, FdWait* wait) BURROW_REQUIRES(bucket.lock) {
  FdWait** at = &bucket.first;
  while (*at != wait) {
    at = &(*at)->next;
  }
  *at = wait->next;
  wait->queued = false;
  g_waiters.fetch_sub(1, std::memory_order_seq_cst);
}

// What is asked for by all who wait for `fd`.
os::PollEvents wanted_of(Bucket& bucket, int fd) BURROW_REQUIRES(bucket.lock) {
  os::PollEvents wanted;
  for (FdWait* wait = bucket.first; wait != nullptr; wait = wait->next) {
    if (wait->fd == fd) {
      wanted.readable |= wait->wanted.readable;
      wanted.writable |= wait->wanted.writable;
    }
  }
  return wanted;
}

// Takes out who waits for one of `events` at `fd`, and makes them runnable into `list`.
void finish(Bucket& bucket, int fd, os::PollEvents events, GoroutineList& list)
    BURROW_REQUIRES(bucket.lock) {
  for (FdWait* wait = bucket.first; wait != nullptr;) {
    FdWait* next = wait->next;
    bool hit =
        (wait->wanted.readable && events.readable) || (wait->wanted.writable && events.writable);
    if (wait->fd == fd && hit) {
      Goroutine* g = wait->goroutine;
      take_out(bucket, wait);
      wait->ready = true;
      // From here on the wait may be gone.
      if (make_runnable(g)) {
        list.push(g);
      }
    }
    wait = next;
  }
}

void on_deadline(void* raw) {
  auto* wait = static_cast<FdWait*>(raw);
  Bucket& bucket = bucket_of(wait->fd);
  Goroutine* g = nullptr;
  {
    MutexLock hold(bucket.lock);
    if (wait->queued) {
      g = wait->goroutine;
      take_out(bucket, wait);
    }
  }
  if (g != nullptr) {
    ready(g);
  }
}

// The commit of a wait: from here on events and the deadline may end it.
bool begin_wait(void* raw) {
  auto* wait = static_cast<FdWait*>(raw);
  Bucket& bucket = bucket_of(wait->fd);
  int fd = wait->fd;
  GoroutineList woken;
  bool waits = true;
  // Started before the wait can end: who ends it, or is it, stops the timer.
  if (wait->deadline_ns != kNever) {
    wait->timer.callback = on_deadline;
    wait->timer.argument = wait;
  }
  {
    MutexLock hold(bucket.lock);
    wait->next = bucket.first;
    bucket.first = wait;
    wait->queued = true;
    g_waiters.fetch_add(1, std::memory_order_seq_cst);
    switch (g_set.arm(fd, wanted_of(bucket, fd))) {
      case os::ArmResult::kArmed:
        break;
      case os::ArmResult::kRenewed: {
        // Whoever waited for another file of this number waits in vain: let them find out.
        take_out(bucket, wait);
        finish(bucket, fd, {true, true}, woken);
        wait->next = bucket.first;
        bucket.first = wait;
        wait->queued = true;
        g_waiters.fetch_add(1, std::memory_order_seq_cst);
        break;
      }
      case os::ArmResult::kAlways:
      case os::ArmResult::kBad:
        take_out(bucket, wait);
        wait->ready = true;
        waits = false;
        break;
      case os::ArmResult::kRefused:
        fatal("the system has no room to wait for descriptor ", fd,
              "; see fs.epoll.max_user_watches");
    }
    if (waits && wait->deadline_ns != kNever) {
      timer_start(wait->timer, wait->deadline_ns);
    }
  }
  if (!woken.empty()) {
    ready_list(woken);
  }
  return waits;
}

}  // namespace

bool wait_fd(int fd, os::PollEvents wanted, int64_t deadline_ns) {
  if (fd < 0) {
    return true;  // what follows will tell
  }
  Goroutine* g = current();
  if (g == nullptr) {
    int64_t timeout = deadline_ns == kNever ? -1 : std::max<int64_t>(0, deadline_ns - now_ns());
    return os::poll_one(fd, wanted, timeout);
  }
  FdWait wait;
  wait.fd = fd;
  wait.wanted = wanted;
  wait.goroutine = g;
  wait.deadline_ns = deadline_ns;
  park(WaitReason::kIoWait, begin_wait, &wait);
  if (deadline_ns != kNever) {
    timer_stop(wait.timer);
  }
  return wait.ready;
}

int poll_waiters() {
  return g_waiters.load(std::memory_order_seq_cst);
}

GoroutineList poll_events(int64_t timeout_ns) {
  std::array<os::PollEvent, 128> events;
  GoroutineList list;
  size_t count = g_set.wait(events, timeout_ns);
  for (size_t i = 0; i < count; ++i) {
    auto [fd, what] = events[i];
    Bucket& bucket = bucket_of(fd);
    MutexLock hold(bucket.lock);
    finish(bucket, fd, what, list);
    // The event has disarmed the descriptor also for who waits for something else.
    os::PollEvents left = wanted_of(bucket, fd);
    if (left.readable || left.writable) {
      (void)g_set.arm(fd, left);
    }
  }
  return list;
}

void interrupt_poller() {
  g_set.interrupt();
}

void start_poller() {
  if (!g_set.open()) {
    fatal("the system gives no epoll set or eventfd (see ulimit -n)");
  }
}

}  // namespace burrow::sched
