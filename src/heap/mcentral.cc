// What all threads share of one size class. See mcentral.h.
#include "heap/mcentral.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "heap/faults.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "heap/scavenger.h"
#include "os/os.h"

namespace burrow::heap {

constinit uintptr_t g_bottom[2] = {0, 0};

namespace {

constinit std::array<MCentral, kNumClasses> g_centrals{};
constinit std::array<MCentral, kNumClasses> g_sampled_centrals{};

}  // namespace

MCentral& central_of(SizeClass c) {
  return g_centrals[c.value];
}

MCentral& sampled_central_of(SizeClass c) {
  return g_sampled_centrals[c.value];
}

void init_centrals() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    g_centrals[i].init(SizeClass(i), SpanState::kSmall);
    g_sampled_centrals[i].init(SizeClass(i), SpanState::kSampled);
  }
}

void MCentral::init(SizeClass c, SpanState state) {
  class_ = c;
  state_ = state;
}

Magazine* MCentral::exchange_empty(Magazine* empty) {
  MutexLock hold(lock_);
  ++trades_;
  if (depot_ == nullptr) {
    return nullptr;
  }
  keep_empty(empty);
  return pop_depot();
}

Magazine* MCentral::pop_depot() {
  Magazine* m = depot_;
  depot_ = m->next;
  depot_count_.store(depot_count() - 1, std::memory_order_relaxed);
  return m;
}

void MCentral::push_depot(Magazine* full) {
  full->next = depot_;
  depot_ = full;
  depot_count_.store(depot_count() + 1, std::memory_order_relaxed);
}

void MCentral::keep_empty(Magazine* m) {
  if (empty_count_ >= kMostEmpties) {
    Magazine::destroy(m, class_);
    return;
  }
  m->next = empties_;
  empties_ = m;
  ++empty_count_;
}

Magazine* MCentral::find_empty() {
  Magazine* m = empties_;
  if (m == nullptr) {
    return Magazine::create(class_);
  }
  empties_ = m->next;
  --empty_count_;
  m->next = nullptr;
  m->count = 0;
  return m;
}

// 64 magazines, or fewer when their blocks are large, and an eighth of the class's memory: enough
// to swing without touching spans, and never more than 128 KiB and 12.5% of what the class holds.
size_t MCentral::depot_limit() const {
  constexpr size_t kLeastBytes = 128 * kKiB;
  const ClassInfo& info = class_info(class_);
  size_t least = std::min<size_t>(64, kLeastBytes / (size_t{info.magazine} * info.size));
  return least + span_total() * info.capacity / (size_t{8} * info.magazine);
}

// Sampled blocks pass one by one, without magazines before the spans: a last empty span stays, so
// that not every sample makes a span and gives it back.
bool MCentral::keeps_empty_span() const {
  return state_ == SpanState::kSampled && span_total() == 1;
}

// Sends one of the depot's magazines home; returns its blocks' number. REQUIRES: there is one.
size_t MCentral::send_home(MSpan*& emptied) {
  Magazine* m = pop_depot();
  size_t n = m->count;
  put_back_locked(m->slots(), n, emptied);
  Magazine::destroy(m, class_);
  return n;
}

Magazine* MCentral::exchange_full(Magazine* full) {
  Magazine* empty = nullptr;
  MSpan* emptied = nullptr;
  {
    MutexLock hold(lock_);
    ++trades_;
    size_t limit = depot_limit();
    if (depot_count() < limit) {
      empty = find_empty();
    } else if (depot_count() > 2 * limit && !g_faults.depot_keeps) {
      // The class has shrunk since these came.
      send_home(emptied);
    }
    if (empty != nullptr) {
      push_depot(full);
    } else {
      put_back_locked(full->slots(), full->count, emptied);
      empty = full;
      empty->count = 0;
    }
  }
  g_mheap.free_spans(emptied);
  trim_if_sparse();
  return empty;
}

MSpan* MCentral::fullest() const {
  for (size_t i = kLists; i-- > 0;) {
    if (lists_[i] != nullptr) {
      return lists_[i];
    }
  }
  return nullptr;
}

size_t MCentral::take(void** out, size_t wanted) {
  size_t n = 0;
  MutexLock hold(lock_);
  while (n < wanted) {
    MSpan* span = fullest();
    if (span == nullptr) {
      if (n > 0) {
        break;  // a new span is for those who would go without
      }
      span = g_mheap.allocate_blocks(class_, state_);
      if (span == nullptr) {
        break;
      }
      spans_.store(static_cast<uint32_t>(span_total() + 1), std::memory_order_relaxed);
    }
    uint32_t blank = state_ == SpanState::kSmall ? span->blank : 0;
    n += span->take(out + n, wanted - n);
    if (blank != 0) {
      note_reopened(blank & ~span->blank);
    }
    file(span);
  }
  return n;
}

void* MCentral::take_one() {
  void* p = nullptr;
  return take(&p, 1) == 1 ? p : nullptr;
}

void MCentral::unlink(MSpan* span) {
  if (span->list < 0) {
    return;
  }
  if (span->prev != nullptr) {
    span->prev->next = span->next;
  } else {
    lists_[static_cast<size_t>(span->list)] = span->next;
  }
  if (span->next != nullptr) {
    span->next->prev = span->prev;
  }
  if (span->list == static_cast<int>(kSparse)) {
    sparse_.store(sparse_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }
  span->next = span->prev = nullptr;
  span->list = -1;
}

// Moves a span to the list that fits how full it is; full spans are in none.
void MCentral::file(MSpan* span) {
  int want = -1;
  if (span->available() > 0) {
    size_t eighth = span->outstanding() * kEighths / span->elem_count;
    bool trimmed = eighth == 0 && span->list == static_cast<int>(kTrimmed);
    want = static_cast<int>(trimmed ? kTrimmed : kSparse + eighth);
  }
  if (want == span->list) {
    return;
  }
  unlink(span);
  if (want >= 0) {
    enlist(span, static_cast<size_t>(want));
  }
}

void MCentral::enlist(MSpan* span, size_t list) {
  MSpan*& head = lists_[list];
  span->list = static_cast<int8_t>(list);
  span->next = head;
  if (head != nullptr) {
    head->prev = span;
  }
  head = span;
  if (list == kSparse) {
    sparse_.store(sparse_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

void MCentral::put_back_locked(void* const* blocks, size_t count, MSpan*& emptied) {
  constexpr size_t kAhead = 8;
  // Neighbours often share a span, which is filed once for all of them.
  MSpan* last = nullptr;
  size_t before = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      __builtin_prefetch(blocks[i + kAhead]);
      if (const MSpan* ahead = span_of(blocks[i + kAhead / 2]); ahead != nullptr) {
        __builtin_prefetch(ahead);
      }
    }
    MSpan* span = span_of(blocks[i]);
    if (span == nullptr || span->size_class != class_ || span->state != state_) {
      report_invalid_free(blocks[i]);
    }
    if (span != last) {
      settle(last, before, emptied);
      last = span;
      before = span->outstanding();
    }
    span->put_back(blocks[i]);
  }
  settle(last, before, emptied);
}

// After blocks came back to a span: it moves to where it belongs, or to the list of empty ones. One
// that was trimmed is worth another look when half of the blocks that were out then are back.
void MCentral::settle(MSpan* span, size_t before, MSpan*& emptied) {
  if (span == nullptr) {
    return;
  }
  if (span->list == static_cast<int>(kTrimmed) &&
      std::bit_width(span->outstanding()) < std::bit_width(before)) {
    unlink(span);
  }
  if (span->outstanding() == 0 && !keeps_empty_span()) {
    unlink(span);
    spans_.store(static_cast<uint32_t>(span_total() - 1), std::memory_order_relaxed);
    span->next = emptied;
    emptied = span;
  } else {
    file(span);
  }
}

void MCentral::put_back(void* const* blocks, size_t count) {
  MSpan* emptied = nullptr;
  {
    MutexLock hold(lock_);
    put_back_locked(blocks, count, emptied);
  }
  g_mheap.free_spans(emptied);
  trim_if_sparse();
}

// More than a MiB, a sixteenth of the class's memory and the grace lie in spans that hold few
// blocks.
bool MCentral::too_sparse() const {
  size_t span = class_info(class_).pages * kPageSize;
  size_t most = std::max(kMiB, span_total() * span / 16) +
                grace_.load(std::memory_order_relaxed) * os::kOsPageSize;
  return sparse_.load(std::memory_order_relaxed) * span > most && state_ == SpanState::kSmall &&
         !g_faults.no_blank_pages;
}

// The scavenger's thread trims a class when it rests; without it, some spans go in passing.
void MCentral::trim_if_sparse() {
  if (BURROW_LIKELY(!too_sparse())) {
    return;
  }
  if (scavenger_runs()) {
    wake_scavenger();
  } else {
    trim(kInPassing);
  }
}

void MCentral::trim(size_t most) {
  for (size_t i = 0; i < most && too_sparse(); ++i) {
    size_t pages = 0;
    {
      MutexLock hold(lock_);
      MSpan* span = lists_[kSparse];
      if (span == nullptr) {
        return;
      }
      pages = span->release_pages();
      unlink(span);
      enlist(span, kTrimmed);
      trimmed_ns_ = pages > 0 ? os::monotonic_ns() : trimmed_ns_;
    }
    g_mheap.note_blank(pages * os::kOsPageSize);
  }
}

// Pages that went back are wanted again: soon after, it was for nothing, and the class may hold as
// many more.
void MCentral::note_reopened(uint32_t pages) {
  constexpr int64_t kSoonNs = 100'000'000;
  if (pages != 0 && os::monotonic_ns() - trimmed_ns_ < kSoonNs) {
    grace_.fetch_add(static_cast<uint32_t>(std::popcount(pages)), std::memory_order_relaxed);
  }
}

void MCentral::age(size_t most_trimmed) {
  if (depot_count() == 0 && !too_sparse()) {
    return;  // as most are: no lock
  }
  {
    MutexLock hold(lock_);
    bool idle = aged_ == trades_;
    aged_ = trades_;
    if (!idle) {
      return;
    }
  }
  if (depot_count() != 0) {
    flush_depot();
  }
  grace_.store(0, std::memory_order_relaxed);
  trim(most_trimmed);
}

// Takes the last empty span, which `keeps_empty_span` kept; null when there is none.
MSpan* MCentral::take_empty_span() {
  MutexLock hold(lock_);
  MSpan* span = lists_[kSparse];
  if (span_total() != 1 || span == nullptr || span->outstanding() > 0) {
    return nullptr;
  }
  unlink(span);
  spans_.store(0, std::memory_order_relaxed);
  return span;
}

size_t MCentral::flush_depot() {
  size_t n = 0;
  g_mheap.free_spans(take_empty_span());
  for (;;) {
    MSpan* emptied = nullptr;
    {
      MutexLock hold(lock_);
      if (depot_ == nullptr) {
        break;
      }
      n += send_home(emptied);
    }
    g_mheap.free_spans(emptied);
  }
  return n;
}

size_t MCentral::depot_blocks() {
  MutexLock hold(lock_);
  size_t n = 0;
  for (const Magazine* m = depot_; m != nullptr; m = m->next) {
    n += m->count;
  }
  return n;
}

size_t MCentral::span_count() {
  MutexLock hold(lock_);
  return span_total();
}

void MCentral::verify() {
  MutexLock hold(lock_);
  size_t sparse = 0;
  for (size_t i = 0; i < kLists; ++i) {
    const MSpan* before = nullptr;
    for (const MSpan* span = lists_[i]; span != nullptr; before = span, span = span->next) {
      CHECK(span->prev == before && span->list == static_cast<int>(i));
      CHECK(span->state == state_ && span->size_class == class_);
      CHECK(span->available() > 0);
      span->verify();
      sparse += i == kSparse ? 1 : 0;
    }
  }
  CHECK(sparse == sparse_.load(std::memory_order_relaxed));
  size_t magazines = 0;
  for (Magazine* m = depot_; m != nullptr; m = m->next, ++magazines) {
    CHECK(m->count <= m->capacity);
    for (size_t i = 0; i < m->count; ++i) {
      const void* p = m->slots()[i];
      if (*static_cast<const uintptr_t*>(p) != free_mark(p)) {
        report_write_after_free(p);
      }
    }
  }
  CHECK(magazines == depot_count());
}

}  // namespace burrow::heap
