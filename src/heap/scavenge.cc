// The scavenger: which idle pages go back to the OS, and when. See mheap.h.
//
// Toward Go's goal: 10% over what is in use (and a little for small heaps). Only what stayed idle
// for a whole epoch goes, so that memory in daily use is not given back and faulted in again; and
// the time spent stays below 1% of what passes.
//
// Where no thread of ours runs, the program may never come back: it frees its 400 MB and sleeps.
// There a free gives back at once what is idle beyond the goal and a grace of 4 MiB. A program
// that frees and takes the same memory in turn would fault it in each time. So pages that went
// back at once and are taken again within an epoch lengthen the grace by as many (`note_regret`):
// such a loop faults twice, and then no more. What then stays idle for an epoch shortens it again,
// at the next slow path; a program that sleeps right after such a loop keeps what it last took.
#include <algorithm>

#include "heap/faults.h"
#include "heap/mheap.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr int64_t kEpochNs = 100'000'000;
constexpr int64_t kCpuShare = 100;  // one part in this many
constexpr size_t kSmallHeapSlack = 2 * kMiB / kPageSize;
constexpr size_t kStepPages = 4 * kPagesPerChunk;
// What goes back at once goes in steps, so that not each free makes a call.
constexpr size_t kEarlyStep = kMiB / kPageSize;
// What more must be idle than the goal before the thread is woken.
constexpr size_t kWakeSlack = kMiB / kPageSize;

}  // namespace

PageCount MHeap::idle_goal() const {
  return PageCount(std::max(pages_.used().value / 10, kSmallHeapSlack));
}

// REQUIRES: the lock. Keeps the low-water mark of idle pages over the epoch (as `note_growth` does
// between the calls); at an epoch's end releases what lies above the goal.
void MHeap::scavenge_idle(int64_t now, size_t most_pages) {
  size_t idle = pages_.free_backed().value;
  idle_low_water_ = std::min(idle_low_water_, idle);
  if (now - epoch_start_ns_ < kEpochNs || now < next_run_ns_) {
    return;
  }
  size_t goal = idle_goal().value;
  if (epoch_start_ns_ != 0 && idle_low_water_ > goal) {
    size_t step = std::min(idle_low_water_ - goal, most_pages);
    released_pages_total_ += pages_.scavenge(PageCount(step), [] { return true; }).value;
    int64_t spent = os::monotonic_ns() - now;
    next_run_ns_ = now + spent * kCpuShare;
    idle_low_water_ -= std::min(step, idle_low_water_);
    grace_ = std::max(kLeastGrace, grace_ - std::min(step, grace_));
    if (idle_low_water_ > goal) {
      return;  // the same epoch's rest goes at the next step
    }
  }
  epoch_start_ns_ = now;
  idle_low_water_ = pages_.free_backed().value;
}

// For slow paths: where there is a thread for it, they leave it to the thread.
void MHeap::scavenge_if_due(int64_t now) {
  if (!scavenger_runs()) {
    scavenge_idle(now, kStepPages);
  }
}

bool MHeap::worth_waking() const {
  return pages_.free_backed().value > idle_goal().value + kWakeSlack;
}

// Whether more is idle than should be.
bool MHeap::note_idle() {
  bool much = worth_waking();
  if (much != much_idle_.load(std::memory_order_relaxed)) {
    much_idle_.store(much, std::memory_order_relaxed);
  }
  return much;
}

void MHeap::scavenge_now() {
  if (scavenger_runs()) {
    return;
  }
  MutexLock hold(lock_);
  scavenge_idle(os::monotonic_ns(), kStepPages);
  (void)note_idle();
}

bool MHeap::holds_too_much() const {
  return !g_faults.no_early_release && !scavenger_runs() &&
         pages_.free_backed().value > idle_goal().value + grace_ + kEarlyStep;
}

// Gives back at once what is idle beyond the goal and the grace. The lock is free between two
// chunks.
void MHeap::release_excess() {
  for (;;) {
    MutexLock hold(lock_);
    size_t idle = pages_.free_backed().value;
    size_t keep = idle_goal().value + grace_;
    if (idle <= keep) {
      break;
    }
    size_t step = std::min(idle - keep, kPagesPerChunk);
    size_t n = pages_.scavenge(PageCount(step), [] { return true; }).value;
    if (n == 0) {
      grace_ = idle;  // locked memory, say: it is asked again when as much more is idle
      break;
    }
    released_pages_total_ += n;
    gone_early_ += n;
    gone_early_ns_ = os::monotonic_ns();
    idle_low_water_ = std::min(idle_low_water_, pages_.free_backed().value);
  }
}

// Pages without memory came into use: perhaps those that should not have gone.
void MHeap::note_regret(PageCount unbacked) {
  if (gone_early_ == 0 || unbacked == PageCount(0) || g_faults.no_regret) {
    return;
  }
  int64_t now = os::monotonic_ns();
  if (now - gone_early_ns_ > kEpochNs) {
    gone_early_ = 0;
    return;
  }
  gone_early_ns_ = now;  // they come back one by one, which may take longer than an epoch
  size_t n = std::min(unbacked.value, gone_early_);
  gone_early_ -= n;
  grace_ += n;
}

int64_t MHeap::scavenge_step() {
  MutexLock hold(lock_);
  int64_t now = os::monotonic_ns();
  scavenge_idle(now, kPagesPerChunk);
  if (!note_idle()) {
    return 0;
  }
  return std::max({int64_t{1'000'000}, epoch_start_ns_ + kEpochNs - now, next_run_ns_ - now});
}

size_t MHeap::scavenge_all() {
  size_t total = 0;
  // One chunk a turn, so that nobody waits long for the lock.
  for (;;) {
    MutexLock hold(lock_);
    if (pages_.free_backed().value == 0) {
      break;
    }
    size_t n = pages_.scavenge(PageCount(kPagesPerChunk), [] { return true; }).value;
    released_pages_total_ += n;
    total += n;
    if (n == 0) {
      break;
    }
  }
  return total * kPageSize;
}

}  // namespace burrow::heap
