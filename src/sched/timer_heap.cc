// The timers of one processor. See timer_heap.h.
#include "sched/timer_heap.h"

#include <algorithm>
#include <cstring>

#include "arch/arch.h"
#include "base/check.h"
#include "base/units.h"
#include "os/os.h"
#include "os/thread.h"

namespace burrow::sched {
namespace {

constexpr size_t kArity = 4;
constexpr size_t kFirstBytes = 4 * kKiB;

// The next time of a periodic timer that is after `now`.
int64_t next_time(const Timer& timer, int64_t now) {
  int64_t missed = (now - timer.when_ns) / timer.period_ns;
  return timer.when_ns + (missed + 1) * timer.period_ns;
}

}  // namespace

void TimerHeap::place(size_t index, Entry entry) {
  entries_[index] = entry;
  entry.timer->index = index;
}

void TimerHeap::sift_up(size_t index, Entry entry) {
  while (index > 0) {
    size_t parent = (index - 1) / kArity;
    if (entries_[parent].when_ns <= entry.when_ns) {
      break;
    }
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(size_t index, Entry entry) {
  while (true) {
    size_t first = index * kArity + 1;
    if (first >= count_) {
      break;
    }
    size_t end = std::min(first + kArity, count_);
    size_t least = first;
    for (size_t i = first + 1; i < end; ++i) {
      least = entries_[i].when_ns < entries_[least].when_ns ? i : least;
    }
    if (entries_[least].when_ns >= entry.when_ns) {
      break;
    }
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

void TimerHeap::grow() {
  size_t bytes = capacity_ == 0 ? kFirstBytes : capacity_ * sizeof(Entry) * 2;
  auto* larger = static_cast<Entry*>(os::map_memory(bytes));
  if (larger == nullptr) {
    fatal("out of memory for ", count_, " timers");
  }
  if (entries_ != nullptr) {
    std::memcpy(larger, entries_, count_ * sizeof(Entry));
    os::unmap_memory(entries_, capacity_ * sizeof(Entry));
  }
  entries_ = larger;
  capacity_ = bytes / sizeof(Entry);
}

void TimerHeap::insert(Timer& timer) {
  if (count_ == capacity_) {
    grow();
  }
  ++count_;
  sift_up(count_ - 1, {timer.when_ns, &timer});
}

void TimerHeap::take_out(size_t index) {
  entries_[index].timer->index = kNotInHeap;
  --count_;
  if (index < count_) {
    Entry moved = entries_[count_];
    if (index > 0 && entries_[(index - 1) / kArity].when_ns > moved.when_ns) {
      sift_up(index, moved);
    } else {
      sift_down(index, moved);
    }
  }
}

void TimerHeap::publish() {
  // Seq_cst: see sched.h, "No wake-up is lost".
  earliest_.store(count_ == 0 ? kNever : entries_[0].when_ns, std::memory_order_seq_cst);
}

bool TimerHeap::add(Timer& timer, int64_t when_ns, int64_t period_ns) {
  MutexLock hold(lock_);
  CHECK(timer.index == kNotInHeap);
  timer.when_ns = when_ns;
  timer.period_ns = period_ns;
  insert(timer);
  publish();
  return timer.index == 0;
}

bool TimerHeap::remove(Timer& timer) {
  bool was_started = false;
  bool running = false;
  {
    MutexLock hold(lock_);
    was_started = timer.index != kNotInHeap;
    if (was_started) {
      take_out(timer.index);
      publish();
    }
    // Relaxed: under the lock.
    running = running_.load(std::memory_order_relaxed) == &timer &&
              runner_.load(std::memory_order_relaxed) != os::thread_id();
  }
  // Acquire: pairs with the release in run; what the callback did is seen.
  for (int i = 0; running && running_.load(std::memory_order_acquire) == &timer; ++i) {
    if (i < 100) {
      arch::pause();
    } else {
      os::yield_thread();
    }
  }
  return was_started;
}

size_t TimerHeap::run(int64_t now) {
  if (earliest() > now) {
    return 0;
  }
  lock_.lock();
  if (busy_) {
    lock_.unlock();
    return 0;
  }
  busy_ = true;
  runner_.store(os::thread_id(), std::memory_order_relaxed);
  size_t ran = 0;
  while (count_ > 0 && entries_[0].when_ns <= now) {
    Timer& timer = *entries_[0].timer;
    auto* callback = timer.callback;
    void* argument = timer.argument;
    if (timer.period_ns > 0) {
      timer.when_ns = next_time(timer, now);
      sift_down(0, {timer.when_ns, &timer});
    } else {
      take_out(0);
    }
    publish();
    running_.store(&timer, std::memory_order_relaxed);
    lock_.unlock();
    callback(argument);
    ++ran;
    lock_.lock();
    // Release: pairs with the acquire in remove. The timer may be gone.
    running_.store(nullptr, std::memory_order_release);
  }
  busy_ = false;
  runner_.store(0, std::memory_order_relaxed);
  lock_.unlock();
  return ran;
}

void TimerHeap::verify() {
  MutexLock hold(lock_);
  for (size_t i = 0; i < count_; ++i) {
    CHECK(entries_[i].timer->index == i);
    CHECK(i == 0 || entries_[(i - 1) / kArity].when_ns <= entries_[i].when_ns);
  }
}

}  // namespace burrow::sched
