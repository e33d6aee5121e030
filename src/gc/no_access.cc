// Memory that may not be read. See no_access.h.
#include "gc/no_access.h"

#include <algorithm>
#include <array>

#include "base/bits.h"
#include "base/check.h"
#include "base/hold.h"
#include "base/mutex.h"
#include "gc/address_range.h"
#include "gc/faults.h"
#include "gc/outside_list.h"
#include "heap/arena.h"
#include "os/os.h"
#include "os/stack_memory.h"
#include "os/thread.h"

namespace burrow::gc {
namespace {

constinit Mutex g_lock{LockRank::kLeaf};
constinit OutsideList<AddressRange> g_ranges BURROW_GUARDED_BY(g_lock);

struct Entry {
  std::atomic<const void*> marker{nullptr};
  ScanFlag flag;
};

// Of a team and of threads that assist.
constinit std::array<Entry, 32> g_flags{};

// What of [from, to) markers read as it is, in whole pages: the arena, and goroutines' stacks.
AddressRange read_natively(Address from, Address to) {
  from = round_down(from, os::kOsPageSize);
  to = round_up(to, os::kOsPageSize);
  if (os::stack_slot_end(from) != 0) {
    return {from, to};
  }
  Address base = heap::g_arena.base;
  Address limit = base + heap::arena_page_count() * kPageSize;
  return {std::clamp(from, base, limit), std::clamp(to, base, limit)};
}

void publish() BURROW_REQUIRES(g_lock) {
  g_no_access_count.store(g_ranges.size(), std::memory_order_seq_cst);
}

// Takes [from, to) out of all ranges.
void cut(const AddressRange& hole) BURROW_REQUIRES(g_lock) {
  size_t count = g_ranges.size();
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    AddressRange range = g_ranges[i];
    if (range.to <= hole.from || range.from >= hole.to) {
      g_ranges[kept++] = range;
      continue;
    }
    if (range.to > hole.to) {
      AddressRange above{hole.to, range.to};
      if (range.from < hole.from || kept > i) {
        g_ranges.push(above);
      } else {
        g_ranges[kept++] = above;
      }
    }
    if (range.from < hole.from) {
      g_ranges[kept++] = {range.from, hole.from};
    }
  }
  // What was pushed lies behind those that were looked at.
  for (size_t i = count; i < g_ranges.size(); ++i) {
    g_ranges[kept++] = g_ranges[i];
  }
  g_ranges.resize(kept);
}

// A marker that was inside when it could not have seen the note.
void wait_for(const ScanFlag& flag) {
  uint32_t seen = flag.scans.load(std::memory_order_seq_cst);
  while (seen % 2 != 0 && flag.scans.load(std::memory_order_acquire) == seen) {
    os::yield_thread();
  }
}

}  // namespace

bool has_no_access(Address from, Address to) {
  MutexLock hold(g_lock);
  for (size_t i = 0; i < g_ranges.size(); ++i) {
    if (g_ranges[i].from < to && from < g_ranges[i].to) {
      return true;
    }
  }
  return false;
}

void note_no_access(Address from, Address to) {
  AddressRange range = read_natively(from, to);
  if (range.from >= range.to || g_faults.no_access_notes) {
    return;
  }
  {
    MutexLock hold(g_lock);
    cut(range);
    g_ranges.push(range);
    publish();
  }
  (void)await_scans();
}

bool await_scans() {
  if (g_faults.no_access_notes) {
    return true;
  }
  if (t_hold.depth != 0) {
    return false;
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (const Entry& entry : g_flags) {
    wait_for(entry.flag);
  }
  return true;
}

void forget_no_access(Address from, Address to) {
  AddressRange range = read_natively(from, to);
  if (range.from < range.to && any_no_access()) {
    MutexLock hold(g_lock);
    cut(range);
    publish();
  }
}

ScanFlag* scan_flag_of(const void* marker) {
  for (Entry& entry : g_flags) {
    const void* none = nullptr;
    if (entry.marker.compare_exchange_strong(none, marker, std::memory_order_relaxed) ||
        none == marker) {
      return &entry.flag;
    }
  }
  fatal("more markers than there are flags for them");
}

RankedMutex& no_access_lock() {
  return g_lock;
}

void no_access_reset_after_fork() {
  for (Entry& entry : g_flags) {
    entry.flag.scans.store(0, std::memory_order_relaxed);
  }
}

}  // namespace burrow::gc
