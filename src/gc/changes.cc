// What was written to. See changes.h.
#include "gc/changes.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "base/annotations.h"
#include "base/bits.h"
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/stale_words.h"
#include "gc/tables.h"
#include "heap/arena.h"
#include "os/dirty.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

constinit os::DirtyTracker g_dirty;
// All of these: the collector's thread writes them, with no run of the team.
constinit bool g_can_watch = false;
constinit bool g_watches = false;  // in this cycle
constinit bool g_always = false;   // BURROW_DEBUG=dirty=1: however little there is
// What the look before found; of the first, all that is watched. UINT64_MAX: that look was at all.
constinit uint64_t g_found_before = 0;
// Another look is worth its faults if the last one has found so many times less than that before.
constexpr uint64_t kFewer = 4;
// Cycles in which nothing is watched, as in one before more than half of it was written to: then
// faults buy nothing.
constinit int g_left_alone = 0;
constexpr int kLeftAlone = 8;
// What stayed protected after the last cycle, as nothing can be allocated there: memory that lives
// long is often only read. It need not be protected anew, which takes up to a microsecond a page.
constinit uint64_t g_kept_bytes = 0;
// Cycles after which nothing stays protected, as more than half of what did was written to.
constinit int g_keeps_nothing = 0;
constinit int g_keeps_nothing_next = 1;  // doubled each time, up to kLeftAlone

// So much is looked through in the last stop rather than watched: some 0.2 ms, where watching costs
// the program a fault a page that it writes to, and, on a virtual machine, anew after each cycle a
// fault of the host's for each page whose protection was changed.
constexpr size_t kLittle = size_t{1} * 1024 * 1024;

// Relaxed: added up while jobs run, read after them.
constinit std::atomic<uint64_t> g_changed_bytes{0};

// The kernel is asked about as much at a time: some 100 us where all of it was written to.
constexpr size_t kAsk = size_t{4} * 1024 * 1024;
// Looked at as a whole first, and by smaller parts where something in it is of interest: each page
// that is watched costs the program a fault when it is next written to.
constexpr size_t kPart = size_t{512} * 1024;
constexpr size_t kSmallPart = size_t{64} * 1024;

struct Pages {
  size_t first;
  size_t last;
};

Pages pages_of(Address from, Address to) {
  return {(from - heap::g_arena.base) >> kPageShift,
          (to - heap::g_arena.base + kPageSize - 1) >> kPageShift};
}

constexpr int kKindShift = std::countr_zero(PageEntry::large(ObjectKind{0}).bits);
constexpr uint16_t kRaw = PageEntry::large(ObjectKind::kRaw).bits >> kKindShift;

uint16_t kind_of(size_t page) {
  return static_cast<uint16_t>(reinterpret_cast<const uint16_t*>(g_tables.entries)[page] >>
                               kKindShift);
}

// All of it has barriers or holds no pointers. Without atomic loads and early ends, so that the
// compiler looks at eight pages at a time: there are 131,072 in a gigabyte, and the world may be
// stopped.
BURROW_NO_TSAN bool is_barred(Address from, Address to) {
  auto [first, last] = pages_of(from, to);
  uint16_t some = 0;
  for (size_t page = first; page < last; ++page) {
    uint16_t kind = kind_of(page);
    some |= static_cast<uint16_t>(static_cast<int>(kind == 0) | static_cast<int>(kind == kRaw));
  }
  return some == 0;
}

// Pages that are neither barred nor free, at most `most` of them. What a page holds does not change
// while it is looked at, but for one that is free: what is allocated there now is born white, and
// its page, never forgotten, is looked at next time.
BURROW_NO_TSAN size_t pages_of_interest(Address from, Address to, size_t most) {
  auto [page, last] = pages_of(from, to);
  size_t found = 0;
  while (page < last && found < most) {
    uint16_t kind = kind_of(page);
    size_t blank = kind == 0 ? heap::blank_pages(PageId(page), last - page) : 0;
    found += kind == kRaw || (kind == 0 && blank == 0) ? 1 : 0;
    page += std::max<size_t>(blank, 1);
  }
  return found;
}

// Calls `f(from, to)` with the longest ranges that are of interest.
template <typename F>
void for_each_of_interest(Address start, Address end, F f) {
  Address from = 0;  // of a range whose end is not known yet
  auto close = [&](Address to) {
    if (from != 0) {
      f(std::exchange(from, 0), to);
    }
  };
  for (Address part = start; part < end; part += kPart) {
    Address part_end = std::min(end, part + kPart);
    if (is_barred(part, part_end)) {
      close(part);
      continue;
    }
    for (Address at = part; at < part_end; at += kSmallPart) {
      if (pages_of_interest(at, std::min(part_end, at + kSmallPart), 1) == 0) {
        close(at);
      } else if (from == 0) {
        from = at;
      }
    }
  }
  close(end);
}

Address arena_end() {
  return heap::g_arena.base + heap::arena_committed().bytes();
}

}  // namespace

void changes_init() {
  Address base = heap::g_arena.base;
  g_can_watch = g_dirty.init(base, base + heap::g_arena.page_count * kPageSize);
  g_always = os::debug_option("dirty") == "1";
}

namespace {

// With what lies on the same small parts.
uint64_t bytes_of_interest() {
  uint64_t bytes = 0;
  for_each_of_interest(heap::g_arena.base, arena_end(),
                       [&](Address from, Address to) { bytes += to - from; });
  return bytes;
}

// There is more of it than is looked through in a stop.
bool is_much() {
  constexpr size_t kMost = kLittle >> kPageShift;
  size_t pages = 0;
  for_each_of_interest(heap::g_arena.base, arena_end(), [&](Address from, Address to) {
    pages += pages <= kMost ? pages_of_interest(from, to, kMost + 1) : 0;
  });
  return pages > kMost;
}

// What stayed protected was worth it if most of it still is.
void judge_kept() {
  g_keeps_nothing = g_keeps_nothing == 0 ? 0 : g_keeps_nothing - 1;
  uint64_t kept = std::exchange(g_kept_bytes, 0);
  if (kept == 0) {
    return;
  }
  uint64_t all = 0;
  uint64_t written = 0;
  for_each_of_interest(heap::g_arena.base, arena_end(), [&](Address from, Address to) {
    all += to - from;
    g_dirty.peek(
        from, to,
        [](void* sum, Address at, Address stop) { *static_cast<uint64_t*>(sum) += stop - at; },
        &written);
  });
  if (all - written >= kept / 2) {
    g_keeps_nothing_next = 1;
  } else {
    g_keeps_nothing = g_keeps_nothing_next;
    g_keeps_nothing_next = std::min(2 * g_keeps_nothing_next, kLeftAlone);
  }
}

// REQUIRES: nothing is watched.
void watch(Turn& turn) {
  bool good = g_dirty.watch();
  judge_kept();
  Address end = arena_end();
  for (Address at = heap::g_arena.base; at < end && good; at += kAsk) {
    for_each_of_interest(at, std::min(end, at + kAsk), [&](Address from, Address to) {
      good = good && g_dirty.forget(from, to);
    });
    turn.check();
  }
  g_watches = good;
  g_found_before = bytes_of_interest();
  if (!good) {
    changes_reset_after_fork();  // from now on everything is looked at again
  }
}

void add_all(RootJobs& jobs) {
  for_each_of_interest(heap::g_arena.base, arena_end(), [&](Address from, Address to) {
    jobs.add(RootJob::Kind::kAgain, from, to);
  });
}

}  // namespace

void begin_changes(Turn& turn) {
  g_left_alone = g_left_alone == 0 ? 0 : g_left_alone - 1;
  if (g_can_watch && (g_always || (g_left_alone == 0 && is_much()))) {
    watch(turn);
  }
}

namespace {

// No object can be allocated there before the next cycle ends. A hint: the program goes on.
bool is_full(PageId page) {
  PageEntry entry = entry_of(page);
  SizeClass c = entry.size_class();
  if (!c) {
    Address start = entry.collected() ? large_start(page) : 0;
    return start != 0 && last_mark(start).get();
  }
  PageId first(page.value - entry.page_in_span());
  const heap::ClassInfo& info = heap::class_info(c);
  return count_marks(first, PageCount(info.pages)) == info.capacity;
}

// Of all pages that are watched.
bool is_full(Address from, Address to) {
  auto [first, last] = pages_of(from, to);
  for (size_t page = first; page < last; ++page) {
    uint16_t kind = kind_of(page);
    bool counted = page != first && entry_of(PageId(page)).page_in_span() != 0;
    if (kind == 0 || (kind == kRaw && !counted && !is_full(PageId(page)))) {
      return false;
    }
  }
  return true;
}

void let_go(Address start, Address end) {
  if (g_keeps_nothing > 0) {
    g_dirty.let(start, end);
    return;
  }
  Address from = start;  // of what is not let go yet
  for (Address at = start; at < end; at += kSmallPart) {
    Address part_end = std::min(end, at + kSmallPart);
    if (is_full(at, part_end)) {
      if (from < at) {
        g_dirty.let(from, at);
      }
      from = part_end;
      g_kept_bytes += part_end - at;
    }
  }
  if (from < end) {
    g_dirty.let(from, end);
  }
}

}  // namespace

void end_changes(Turn& turn) {
  if (!g_watches) {
    return;
  }
  g_watches = false;
  if (g_changed_bytes.exchange(0, std::memory_order_relaxed) > bytes_of_interest() / 2) {
    g_left_alone = kLeftAlone;
  }
  Address end = arena_end();
  for (Address at = heap::g_arena.base; at < end; at += kAsk) {
    for_each_of_interest(at, std::min(end, at + kAsk), let_go);
    turn.check();
  }
}

void add_changes(RootJobs& jobs) {
  if (g_faults.no_dirty_rescan) {
    return;
  }
  if (g_watches) {
    jobs.add(RootJob::Kind::kChangedLast, heap::g_arena.base, arena_end());
  } else {
    add_all(jobs);
  }
}

void add_changes_beside(RootJobs& jobs, Turn& turn) {
  if (g_faults.no_dirty_rescan) {
    return;
  }
  if (g_watches) {
    jobs.add(RootJob::Kind::kChanged, heap::g_arena.base, arena_end());
    return;
  }
  if (g_can_watch && g_left_alone == 0 && is_much()) {
    watch(turn);
    if (g_watches) {
      add_all(jobs);
      g_found_before = UINT64_MAX;
    }
  }
}

bool looks_again() {
  if (!g_watches) {
    return false;
  }
  uint64_t found = g_changed_bytes.exchange(0, std::memory_order_relaxed);
  uint64_t before = std::exchange(g_found_before, found);
  if (before == UINT64_MAX) {  // that look was at all
    g_found_before = bytes_of_interest();
    return true;
  }
  return found > kLittle / 2 && found < before / kFewer;
}

void for_each_change(Address from, Address to, bool last,
                     void (*visit)(void* argument, Address, Address), void* argument) {
  struct Whom {
    void (*visit)(void* argument, Address, Address);
    void* argument;
    uint64_t bytes;
  } whom{visit, argument, 0};

  for_each_of_interest(from, to, [&](Address part, Address part_end) {
    (g_dirty.*(last ? &os::DirtyTracker::peek : &os::DirtyTracker::collect))(
        part, part_end,
        [](void* raw, Address at, Address stop) {
          auto& w = *static_cast<Whom*>(raw);
          w.bytes += stop - at;
          if (verifying()) {
            note_stale_words(at, stop);
          }
          w.visit(w.argument, at, stop);
        },
        &whom);
  });
  g_changed_bytes.fetch_add(whom.bytes, std::memory_order_relaxed);
}

void changes_reset_after_fork() {
  g_can_watch = false;
  g_watches = false;
  g_dirty.reset_after_fork();
}

}  // namespace burrow::gc
