// The scavenger: which idle pages go back to the OS, and when. See mheap.h.
//
// Toward Go's goal: 10% over what is in use (and a little for small heaps). Only what stayed idle
// for a whole epoch goes, so that memory in daily use is not given back and faulted in again; and
// the time spent stays below 1% of what passes.
#include <algorithm>

#include "heap/mheap.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr int64_t kEpochNs = 100'000'000;
constexpr int64_t kCpuShare = 100;  // one part in this many
constexpr size_t kSmallHeapSlack = 2 * kMiB / kPageSize;
constexpr size_t kStepPages = 4 * kPagesPerChunk;
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

int64_t MHeap::scavenge_step() {
  MutexLock hold(lock_);
  int64_t now = os::monotonic_ns();
  scavenge_idle(now, kPagesPerChunk);
  if (!worth_waking()) {
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
