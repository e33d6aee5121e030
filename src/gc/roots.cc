// Roots. See roots.h.
#include "gc/roots.h"

#include <link.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "gc/changes.h"
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/goroutines.h"
#include "gc/stale_words.h"
#include "gc/thread_roots.h"
#include "heap/arena.h"
#include "heap/mcache_layout.h"
#include "heap/mspan.h"
#include "os/os.h"
#include "sched/stack.h"

namespace burrow::gc {
namespace {

// Short enough for one turn of a marker.
constexpr size_t kJobBytes = 64 * kKiB;
constexpr size_t kChangedJobBytes = 4 * kMiB;

// By kind. Relaxed: added up while jobs run, read after them.
constinit std::array<std::atomic<uint64_t>, RootJob::kKinds> g_scanned_bytes{};

// Of this object's BURROW_NO_ROOTS variables; the linker makes them. Null where there are none.
extern "C" __attribute__((weak, visibility("hidden"))) const char __start_burrow_no_roots[];
extern "C" __attribute__((weak, visibility("hidden"))) const char __stop_burrow_no_roots[];

void add_segment(RootJobs& jobs, Address start, Address end) {
  Address hole = std::clamp(reinterpret_cast<Address>(__start_burrow_no_roots), start, end);
  Address hole_end = std::clamp(reinterpret_cast<Address>(__stop_burrow_no_roots), start, end);
  jobs.add(RootJob::Kind::kWords, start, hole);
  jobs.add(RootJob::Kind::kWords, hole_end, end);
}

int add_object(dl_phdr_info* info, size_t /*size*/, void* raw) {
  auto& jobs = *static_cast<RootJobs*>(raw);
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type == PT_LOAD && (header.p_flags & PF_W) != 0) {
      Address start = info->dlpi_addr + header.p_vaddr;
      add_segment(jobs, start, start + header.p_memsz);
    }
  }
  return 0;
}

struct LockedCall {
  void (*function)(void*);
  void* argument;
};

int call_once(dl_phdr_info* /*info*/, size_t /*size*/, void* raw) {
  auto& call = *static_cast<LockedCall*>(raw);
  call.function(call.argument);
  return 1;
}

// A part of the arena inside one page.
struct PagePart {
  PageId page;
  Address from;
  Address to;
};

// Whoever looks at ranges of words.
// Free blocks carry their mark in the first word. The program owns one that may not be read.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) bool is_free(Address block) {
  return !(any_no_access() && has_no_access(block, block + sizeof(Address))) &&
         *reinterpret_cast<const volatile Address*>(block) ==
             heap::free_mark(reinterpret_cast<const void*>(block));
}

// Blocks of a class that overlap the part.
void scan_blocks(const RangeVisitor& visit, const PagePart& part, const heap::MSpan& span,
                 SizeClass c) {
  const heap::ClassInfo& info = heap::class_info(c);
  Address start = heap::address_of(span.start);
  size_t index = heap::block_index(part.from - start, info);
  // Blocks from `fresh` on were never handed out and hold what the page was used for before. One
  // that is handed out meanwhile is written to, and looked at again.
  size_t count = std::min<size_t>(info.capacity, span.fresh_index());
  for (; index < count; ++index) {
    Address block = start + index * info.size;
    if (block >= part.to) {
      break;
    }
    if (!is_free(block) && !span.is_blank(reinterpret_cast<const void*>(block))) {
      visit(std::max(block, part.from), std::min(block + info.size, part.to));
    }
  }
}

// Marked objects that overlap the part: what was stored into them since had no barrier.
void scan_raw_objects(const RangeVisitor& visit, const PagePart& part, PageEntry entry) {
  SizeClass c = entry.size_class();
  if (!c) {
    Address start = large_start(part.page);
    if (start != 0 && next_mark(start).get()) {
      visit(part.from, part.to);
    }
    return;
  }
  const heap::ClassInfo& info = heap::class_info(c);
  Address span = heap::address_of(part.page) - (entry.page_in_span() << kPageShift);
  size_t index = heap::block_index(part.from - span, info);
  for (; index < info.capacity; ++index) {
    Address object = span + index * info.size;
    if (object >= part.to) {
      break;
    }
    if (next_mark(object).get()) {
      visit(std::max(object, part.from), std::min(object + info.size, part.to));
    }
  }
}

void scan_part(const RangeVisitor& visit, const PagePart& part, bool again) {
  if (size_t entry = heap::entry_of_page(part.page); entry != 0) {
    if (const heap::MSpan* span = heap::span_of_page(part.page); span != nullptr) {
      scan_blocks(visit, part, *span, SizeClass(heap::entry_slot(entry) / sizeof(heap::ClassSlot)));
    }
    return;
  }
  if (PageEntry entry = entry_of(part.page); entry.collected()) {
    if (again && entry.kind() == ObjectKind::kRaw) {
      scan_raw_objects(visit, part, entry);
    }
    return;
  }
  const heap::MSpan* span = heap::span_around(part.page);
  if (span == nullptr) {  // given back meanwhile
    return;
  }
  switch (span->state) {
    case heap::SpanState::kLarge:
      if (!span->whole.pointer_free) {
        visit(part.from, part.to);
      }
      return;
    case heap::SpanState::kSampled:
    case heap::SpanState::kSmall:
      scan_blocks(visit, part, *span, span->size_class);
      return;
    case heap::SpanState::kGuarded: {  // its last page has no access, and a freed one has none
      bool guard = part.page.value + 1 == span->start.value + span->pages.value;
      if ((!guard && !span->whole.pointer_free) || g_faults.no_access_notes) {
        visit(part.from, part.to);
      }
      return;
    }
    case heap::SpanState::kCached:
    case heap::SpanState::kFree:
    case heap::SpanState::kCollected:
      return;
  }
}

void scan_arena(const RangeVisitor& visit, Address from, Address to, bool again) {
  for (Address at = from; at < to;) {
    PageId page((at - heap::g_arena.base) >> kPageShift);
    if (heap::span_of_page(page) == nullptr) {
      size_t left = (to - heap::address_of(page) + kPageSize - 1) >> kPageShift;
      if (size_t blank = heap::blank_pages(page, left); blank != 0) {
        at = std::min(to, heap::address_of(page + PageCount(blank)));
        continue;
      }
    }
    Address stop = std::min(to, heap::address_of(page) + kPageSize);
    scan_part(visit, {page, at, stop}, again);
    at = stop;
  }
}

}  // namespace

void RootJobs::clear() {
  jobs_.resize(0);
  bytes_ = 0;
  next_.store(0, std::memory_order_relaxed);
}

void RootJobs::add(RootJob::Kind kind, Address start, Address end) {
  bool changed = kind == RootJob::Kind::kChanged || kind == RootJob::Kind::kChangedLast;
  size_t step = changed ? kChangedJobBytes : kJobBytes;
  for (Address at = start; at < end; at += step) {
    jobs_.push({at, std::min(end, at + step), kind});
  }
  bytes_ += end > start ? end - start : 0;
}

void RootJobs::add_slots(size_t count) {
  constexpr size_t kJobSlots = 512;
  for (size_t at = 0; at < count; at += kJobSlots) {
    jobs_.push({at, std::min(count, at + kJobSlots), RootJob::Kind::kGoroutines});
  }
}

const RootJob* RootJobs::take() {
  size_t index = next_.fetch_add(1, std::memory_order_relaxed);
  return index < jobs_.size() ? &jobs_[index] : nullptr;
}

void add_globals(RootJobs& jobs) {
  dl_iterate_phdr(add_object, &jobs);
}

void with_loader_lock(void (*f)(void* argument), void* argument) {
  LockedCall call{f, argument};
  dl_iterate_phdr(call_once, &call);
}

void add_arena(RootJobs& jobs, RootJob::Kind kind, Address start, Address end) {
  jobs.add(kind, start, end);
}

void for_each_root_range(const RootJob& job, void (*visit)(void* argument, Address, Address),
                         void* argument) {
  RangeVisitor visitor{visit, argument};
  if (job.kind == RootJob::Kind::kWords || job.kind == RootJob::Kind::kFrames) {
    visitor(job.start, job.end);
    return;
  }
  if (job.kind == RootJob::Kind::kGoroutines) {
    for_each_goroutine_range(job.start, job.end, visit, argument);
    return;
  }
  if (job.kind == RootJob::Kind::kChanged || job.kind == RootJob::Kind::kChangedLast) {
    for_each_change(
        job.start, job.end, job.kind == RootJob::Kind::kChangedLast,
        [](void* raw, Address from, Address to) {
          scan_arena(*static_cast<const RangeVisitor*>(raw), from, to, true);
        },
        &visitor);
    return;
  }
  bool again = job.kind == RootJob::Kind::kAgain;
  if (again && verifying()) {
    note_stale_words(job.start, job.end);
  }
  scan_arena(visitor, job.start, job.end, again);
}

void run_job(Marker& marker, const RootJob& job) {
  bool frames = job.kind == RootJob::Kind::kFrames;
  if (frames || job.kind == RootJob::Kind::kWords) {
    marker.scan_copied(job.start, job.end, frames ? Words::kOfFrames : Words::kOfMemory);
    return;
  }
  bool goroutines = job.kind == RootJob::Kind::kGoroutines;
  NativeScan scan(marker.scan_flag());
  uint64_t bytes = 0;
  for_each_root_range(job, [&](Address from, Address to) {
    sched::StackArea::Bounds bounds;
    if (!goroutines) {
      marker.scan_words(from, to);
    } else if (sched::g_stacks.find(from, bounds)) {
      marker.scan_words(from, to, Words::kOfFrames);
    } else {
      marker.scan_copied(from, to, Words::kOfFrames);
    }
    bytes += to - from;
  });
  g_scanned_bytes[static_cast<size_t>(job.kind)].fetch_add(bytes, std::memory_order_relaxed);
}

uint64_t take_scanned_bytes(RootJob::Kind kind) {
  return g_scanned_bytes[static_cast<size_t>(kind)].exchange(0, std::memory_order_relaxed);
}

}  // namespace burrow::gc
