// All spans of one kind and class. See central.h.
#include "gc/central.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "gc/gc.h"
#include "gc/settle.h"
#include "heap/mheap.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

constinit std::array<std::array<Central, heap::kNumClasses>, internal::kObjectKinds> g_centrals{};

// The first granule in [from, to) with a mark of the last cycle; `to` when there is none.
size_t marked_granule(size_t from, size_t to) {
  const std::atomic<uint64_t>* words = last_marks();
  size_t word = from / 64;
  uint64_t bits = words[word].load(std::memory_order_relaxed) >> from % 64 << from % 64;
  while (bits == 0 && (word + 1) * 64 < to) {
    bits = words[++word].load(std::memory_order_relaxed);
  }
  return bits == 0 ? to : std::min(to, word * 64 + static_cast<size_t>(std::countr_zero(bits)));
}

// BURROW_DEBUG=clobberfree=1: whoever still reads a dead object shall notice.
void clobber(const heap::MSpan* span, SizeClass c) {
  const heap::ClassInfo& info = heap::class_info(c);
  for (size_t i = 0; i < info.capacity; ++i) {
    Address block = span->first + i * info.size;
    if (!last_mark(block).get()) {
      std::memset(reinterpret_cast<void*>(block), kClobber, info.size);
    }
  }
}

}  // namespace

Central& central_of(ObjectKind kind, SizeClass c) {
  return g_centrals[static_cast<size_t>(kind)][c.value];
}

void init_centrals() {
  for (size_t kind = 0; kind < internal::kObjectKinds; ++kind) {
    for (size_t c = 1; c < heap::kNumClasses; ++c) {
      g_centrals[kind][c].init(static_cast<ObjectKind>(kind), SizeClass(c));
    }
  }
}

bool SpanList::grow() {
  size_t capacity = std::max<size_t>(capacity_ * 2, os::kOsPageSize / sizeof(heap::MSpan*));
  auto* data = static_cast<heap::MSpan**>(os::map_memory(capacity * sizeof(heap::MSpan*)));
  if (data == nullptr) {
    return false;
  }
  if (data_ != nullptr) {
    std::memcpy(data, data_, size_ * sizeof(heap::MSpan*));
    os::unmap_memory(data_, capacity_ * sizeof(heap::MSpan*));
  }
  data_ = data;
  capacity_ = capacity;
  return true;
}

bool next_run(heap::MSpan* span, Run& run) {
  const heap::ClassInfo& info = heap::class_info(entry_of(span).size_class());
  size_t i = span->collected().cursor;
  Address at = span->first + i * info.size;
  for (; i < info.capacity && last_mark(at).get(); ++i) {
    at += info.size;
  }
  run.start = run.end = at;
  if (i < info.capacity) {
    Address end = span->first + size_t{info.capacity} * info.size;
    size_t granules = marked_granule(granule_of(at), granule_of(end)) - granule_of(at);
    run.end = at + (granules << kGranuleShift);
    i = heap::block_index(run.end - span->first, info);
  }
  span->collected().cursor = static_cast<uint32_t>(i);
  return run.end != run.start;
}

void Central::init(ObjectKind kind, SizeClass c) {
  kind_ = kind;
  class_ = c;
}

bool Central::due(const heap::MSpan* span) const {
  return !span->collected().owned &&
         span->collected().epoch != g_epoch.load(std::memory_order_relaxed);
}

Central::Verdict Central::look(heap::MSpan* span) {
  span->collected().epoch = g_epoch.load(std::memory_order_relaxed);
  span->collected().cursor = 0;
  span->need_zero = true;
  size_t live = count_marks(span->start, span->pages);
  freed_ += span->collected().live - live;
  span->collected().live = static_cast<uint32_t>(live);
  if (BURROW_UNLIKELY(clobbering())) {
    clobber(span, class_);
  }
  return live == 0                                   ? Verdict::kEmpty
         : live == heap::class_info(class_).capacity ? Verdict::kFull
                                                     : Verdict::kRoom;
}

heap::MSpan* Central::acquire() {
  if (!settling()) {
    MutexLock hold(lock_);
    if (partial_.size() > 0) {
      heap::MSpan* span = partial_.pop();
      span->collected().owned = true;
      return span;
    }
    while (sweep_at_ < all_.size()) {
      heap::MSpan* span = all_[sweep_at_++];
      if (due(span) && look(span) != Verdict::kFull) {
        span->collected().owned = true;
        return span;
      }
    }
  }
  heap::MSpan* span = create();
  if (span == nullptr) {
    return nullptr;
  }
  MutexLock hold(lock_);
  if (!all_.push(span)) {
    destroy(span);
    return nullptr;
  }
  return span;
}

heap::MSpan* Central::create() {
  const heap::ClassInfo& info = heap::class_info(class_);
  heap::MSpan* span =
      heap::g_mheap.allocate_large(info.pages * kPageSize, kPageSize, heap::SpanState::kCollected);
  if (span == nullptr) {
    return nullptr;
  }
  clear_tables(span->start, span->pages);
  span->collected().entry = PageEntry::small(class_, 0, kind_).bits;
  span->collected().epoch = g_epoch.load(std::memory_order_relaxed);
  span->collected().owned = true;
  for (size_t i = 0; i < span->pages.value; ++i) {
    g_tables.entries[span->start.value + i].store(PageEntry::small(class_, i, kind_).bits,
                                                  std::memory_order_relaxed);
  }
  return span;
}

void Central::destroy(heap::MSpan* span) {
  for (size_t i = 0; i < span->pages.value; ++i) {
    g_tables.entries[span->start.value + i].store(0, std::memory_order_relaxed);
  }
  heap::g_mheap.free_span(span);
}

void Central::release(heap::MSpan* span) {
  MutexLock hold(lock_);
  span->collected().owned = false;
  // What was handed out since the last flip has no marks yet: it lies below the cursor.
  span->collected().epoch = g_epoch.load(std::memory_order_relaxed);
  if (span->collected().cursor < heap::class_info(class_).capacity) {
    (void)partial_.push(span);  // without memory for the list it rests until the next flip
  }
}

// Where such a thread stood is not known. With the cursor at the end all of the span counts as
// handed out, until the next cycle looks at it.
void Central::disown(const heap::MSpan* kept) {
  MutexLock hold(lock_);
  for (size_t i = 0; i < all_.size(); ++i) {
    heap::MSpan* span = all_[i];
    if (span->collected().owned && span != kept) {
      span->collected().owned = false;
      span->collected().cursor = heap::class_info(class_).capacity;
      span->collected().epoch = g_epoch.load(std::memory_order_relaxed);
    }
  }
}

// Whoever allocates shall not wait for the lock while memory is waited for.
bool Central::fetch(size_t count) {
  std::array<const heap::MSpan*, kMostSwept> next;
  size_t found = 0;
  {
    MutexLock hold(lock_);
    for (; found < count && sweep_at_ + found < all_.size(); ++found) {
      next[found] = all_[sweep_at_ + found];
    }
  }
  for (size_t i = 0; i < found; ++i) {
    __builtin_prefetch(&next[i]->first);
    __builtin_prefetch(&next[i]->collected(), /*rw=*/1);
  }
  const std::atomic<uint64_t>* marks = last_marks();
  for (size_t i = 0; i < found; ++i) {
    __builtin_prefetch(marks + granule_of(next[i]->first) / 64);
  }
  return found != 0;
}

bool Central::sweep_some(size_t count, bool all) {
  count = std::min(count, kMostSwept);
  if (!fetch(count)) {
    return false;
  }
  std::array<heap::MSpan*, kMostSwept> empty{};
  size_t empties = 0;
  bool more = false;
  {
    MutexLock hold(lock_);
    for (size_t n = 0; n < count && sweep_at_ < all_.size(); ++n) {
      heap::MSpan* span = all_[sweep_at_];
      bool idle = span->collected().cursor == 0;
      Verdict verdict = due(span) ? look(span) : Verdict::kFull;
      if (verdict == Verdict::kEmpty && (idle || all)) {
        empty[empties++] = span;
        all_[sweep_at_] = all_[all_.size() - 1];
        (void)all_.pop();
        continue;
      }
      if (verdict != Verdict::kFull) {
        (void)partial_.push(span);
      }
      ++sweep_at_;
    }
    more = sweep_at_ < all_.size();
  }
  for (size_t i = 0; i < empties; ++i) {
    destroy(empty[i]);
  }
  return more;
}

void Central::flip() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  partial_.clear();
  sweep_at_ = 0;
}

BURROW_NO_TSAN Central::Figures Central::figures() {
  MutexLock hold(lock_);
  Figures sum{freed_, freed_};
  for (size_t i = 0; i < all_.size(); ++i) {
    sum.taken += all_[i]->collected().live;  // an owner may be raising it
  }
  return sum;
}

void Central::verify() {
  MutexLock hold(lock_);
  CHECK(sweep_at_ <= all_.size() && partial_.size() <= all_.size());
  for (size_t i = 0; i < all_.size(); ++i) {
    const heap::MSpan* span = all_[i];
    CHECK(span->state == heap::SpanState::kCollected);
    CHECK(entry_of(span).bits == PageEntry::small(class_, 0, kind_).bits);
    CHECK(span->collected().cursor <= heap::class_info(class_).capacity);
  }
}

}  // namespace burrow::gc
