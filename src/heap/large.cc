// Moving large blocks by their page tables. See mheap.h.
//
// A moved mapping keeps the file offset of where it came from, so the kernel cannot join it with
// its neighbours: each costs a mapping until the block is freed, when `renew` heals the range.
// vm.max_map_count is 65,530 for the process, hence the cap.
#include <atomic>
#include <utility>

#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

constexpr uint32_t kMostMoved = 4096;

// Relaxed: a bound, not an exact count.
constinit std::atomic<uint32_t> g_moved{0};

}  // namespace

bool MHeap::move_large(MSpan* from, MSpan* to, size_t bytes) {
  if (bytes % os::kOsPageSize != 0 || bytes > from->pages.bytes() || bytes > to->pages.bytes() ||
      g_moved.load(std::memory_order_relaxed) >= kMostMoved ||
      !os::move_pages(pointer_to(from->start), pointer_to(to->start), bytes)) {
    return false;
  }
  if (!std::exchange(to->whole.moved, true)) {
    g_moved.fetch_add(1, std::memory_order_relaxed);
  }
  from->whole.vacated = true;
  return true;
}

// Called before the pages behind the first `keep` are freed: they may be part of what was moved
// here. True when they are without memory now.
bool MHeap::heal_tail(const MSpan* span, PageCount keep) {
  return span->whole.moved &&
         os::renew(pointer_to(span->start + keep), (span->pages - keep).bytes());
}

// Called before the pages are freed: makes the range an ordinary part of the arena again.
void MHeap::settle_moved(MSpan* span) {
  bool empty = span->whole.vacated;
  if (span->whole.moved) {
    empty = os::renew(pointer_to(span->start), span->pages.bytes());
    g_moved.fetch_sub(1, std::memory_order_relaxed);
  }
  if (empty) {
    MutexLock hold(lock_);
    pages_.note_unbacked(span->start, span->pages);
  }
}

}  // namespace burrow::heap
