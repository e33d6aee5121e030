// The memory limit, and that of the container. See mheap.h.
//
// BURROW_MEMLIMIT (and set_memory_limit) bound what the heap holds from the system: pages in use,
// idle ones with memory behind them, and descriptors. Where nothing is set, the limit of the
// control group that the process runs in counts, in another way: beyond it a process is killed, but
// by what it touches and not by what it allocates. So it refuses only when the process's resident
// memory and the request are more than the group may have.
#include <algorithm>

#include "base/annotations.h"
#include "base/printer.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

// Smaller heaps do not ask for their control group: most processes live and end below.
constexpr size_t kAskFrom = 32 * kMiB;

BURROW_NOINLINE std::optional<size_t> ask_container() {
  if (std::optional<std::string_view> folder = os::debug_option("cgroup"); folder) {
    FixedPrinter<256> root;
    root << *folder << '\0';
    FixedPrinter<256> own;
    own << *folder << "/cgroup" << '\0';
    // Both texts end with the zero printed last.
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    return os::cgroup_memory_limit(root.text().data(), own.text().data());
  }
  return os::cgroup_memory_limit();
}

}  // namespace

// Gives idle pages back until no more than `allowed` bytes of them are left.
bool MHeap::shrink_idle(size_t allowed) {
  if (pages_.free_backed().bytes() > allowed) {
    size_t excess = pages_.free_backed().bytes() - allowed;
    released_pages_total_ +=
        pages_.scavenge(PageCount::for_bytes(excess), [] { return true; }).value;
  }
  return pages_.free_backed().bytes() <= allowed;
}

// Sees to it that `pages` more can be used under the limit, giving idle pages back if need be.
// Collected spans may go past the limit that is set, as Go's heap may: `make` cannot fail, and the
// program is better slow than dead. The collector has been told before.
bool MHeap::make_room(PageCount pages, SpanState state) {
  size_t want = pages.bytes();
  size_t fixed = pages_.used().bytes() + meta_from_os();
  size_t limit = limit_.load(std::memory_order_relaxed);
  if (limit != SIZE_MAX) {
    if (want <= limit && fixed <= limit - want) {
      return shrink_idle(limit - want - fixed);
    }
    return state == SpanState::kCollected && shrink_idle(0);
  }
  return fixed + want < kAskFrom || fits_container(fixed, want);
}

bool MHeap::fits_container(size_t fixed, size_t want) {
  if (container_limit_ == kNotAsked) {
    container_limit_ = ask_container().value_or(SIZE_MAX);
  }
  size_t limit = container_limit_;
  if (limit == SIZE_MAX) {
    return true;
  }
  if (want <= limit && fixed <= limit - want && shrink_idle(limit - want - fixed)) {
    return true;
  }
  (void)shrink_idle(0);
  size_t resident = os::resident_bytes();
  return want <= limit && resident <= limit - want;
}

size_t MHeap::set_limit(size_t bytes) {
  // Relaxed: the next allocation under the lock sees it.
  return limit_.exchange(bytes, std::memory_order_relaxed);
}

void MHeap::ignore_container() {
  MutexLock hold(lock_);
  container_limit_ = SIZE_MAX;
}

}  // namespace burrow::heap
