// One hand that marks. See marker.h.
#include "gc/marker.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "gc/faults.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::gc {

void Marker::init() {
  current_ = g_mark_pool.get_empty();
  second_ = g_mark_pool.get_empty();
  flag_ = scan_flag_of(this);
  copy_ = static_cast<Address*>(os::map_memory(kCopy));
  if (copy_ == nullptr) {
    fatal("out of memory for the collector's markers");
  }
}

// The current chunk is full: the second takes its place; what the second held goes to the pool.
void Marker::spill() {
  std::swap(current_, second_);
  if (current_->count > 0) {
    g_mark_pool.put_full(current_);
    current_ = g_mark_pool.get_empty();
  }
}

// The current chunk is empty: work from the second, or from the pool.
bool Marker::fetch() {
  if (second_->count > 0) {
    std::swap(current_, second_);
    return true;
  }
  WorkChunk* full = g_mark_pool.get_full();
  if (full == nullptr) {
    return false;
  }
  g_mark_pool.put_empty(current_);
  current_ = full;
  return true;
}

// The older half: what was found first leads to most.
void Marker::give() {
  constexpr size_t kLeast = 4;
  if (second_->count > 0) {
    g_mark_pool.put_full(std::exchange(second_, g_mark_pool.get_empty()));
  } else if (current_->count >= kLeast) {
    size_t half = current_->count / 2;
    auto& items = current_->items;
    second_->count = half;
    for (size_t i = 0; i < current_->count; ++i) {
      Address item = items[i];
      // One by one: this may be a thread of the program, and what a memcpy leaves in its vector
      // registers would count as its pointers for as long as it sleeps.
      asm volatile("" : "+r"(item));
      (i < half ? second_->items[i] : items[i - half]) = item;
    }
    current_->count -= half;
    g_mark_pool.put_full(std::exchange(second_, g_mark_pool.get_empty()));
  }
}

void Marker::flush() {
  while (at_ < batched_) {
    push_item(batch_[at_++].start | 1);
  }
  for (WorkChunk** at : {&current_, &second_}) {
    if ((*at)->count > 0) {
      g_mark_pool.put_full(*at);
      *at = g_mark_pool.get_empty();
    }
  }
}

Marker::Work Marker::take_work() {
  return std::exchange(work_, Work{});
}

// At most kSmallWords words. Those that hold no pointers cost as much as those that do: no branch
// can be mispredicted.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void Marker::scan_some(Address start,
                                                                              size_t words,
                                                                              ObjectKind kind) {
  constexpr size_t kBits = 64;
  static_assert(kSmallWords <= kBits);
  // In locals: for all the compiler knows, a store to the stack changes the globals.
  const Address base = heap::g_arena.base;
  const size_t arena_bytes = heap::g_arena.page_count << kPageShift;
  if (BURROW_UNLIKELY(current_->count + words > WorkChunk::kCapacity)) {
    spill();
  }
  Address* top = current_->items.data() + current_->count;
  auto take = [&](Address word) {
    *top = word & ~Address{1};
    top += word - base < arena_bytes ? 1 : 0;
  };
  if (kind == ObjectKind::kExact) {
    // Pointers lie where the table says.
    size_t first = (start - base) / sizeof(void*);
    size_t shift = first % kBits;
    const std::atomic<uint64_t>* table = &g_tables.pointers[first / kBits];
    uint64_t bits = table[0].load(std::memory_order_relaxed) >> shift;
    if (shift + words > kBits) {
      bits |= table[1].load(std::memory_order_relaxed) << (kBits - shift);
    }
    bits &= ~uint64_t{0} >> (kBits - words);
    for (; bits != 0; bits &= bits - 1) {
      size_t at = static_cast<size_t>(std::countr_zero(bits)) * sizeof(void*);
      take(*reinterpret_cast<const volatile Address*>(start + at));
    }
  } else {
    for (size_t i = 0; i < words; ++i) {
      take(*reinterpret_cast<const volatile Address*>(start + i * sizeof(void*)));
    }
  }
  current_->count = static_cast<size_t>(top - current_->items.data());
}

void Marker::scan_object(Address start, Address end, ObjectKind kind, Words words) {
  if (any_no_access() && has_no_access(start, end)) {
    scan_copied(start, end, words);
    return;
  }
  for (Address at = start; at + sizeof(void*) <= end; at += kSmallWords * sizeof(void*)) {
    scan_some(at, std::min(kSmallWords, (end - at) / sizeof(void*)), kind);
  }
  if (words == Words::kOfFrames) {
    push_ends(start, end);
  }
  work_.scanned_bytes += end > start ? end - start : 0;
}

// Pushes what ends where a word points to: it is looked for two bytes before, as items are even.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void Marker::push_ends(Address start,
                                                                              Address end) {
  if (g_faults.no_ends) {
    return;
  }
  const Address base = heap::g_arena.base;
  const size_t bytes = heap::g_arena.page_count << kPageShift;
  for (Address at = start; at + sizeof(void*) <= end; at += sizeof(void*)) {
    Address word = *reinterpret_cast<const volatile Address*>(at);
    if (word % sizeof(void*) != 0 || word - base - 1 >= bytes) {
      continue;
    }
    if (ObjectRef object = find_object(word); !object || object.start == word) {
      push(word - 2);
    }
  }
}

void Marker::scan_words(Address start, Address end, Words words) {
  scan_object(round_up(start, alignof(void*)), end, ObjectKind::kRaw, words);
}

// REQUIRES: at most kCopy.
void Marker::scan_copy(size_t bytes, Words words) {
  auto copy = reinterpret_cast<Address>(copy_);
  for (size_t done = 0; done < bytes; done += kSmallWords * sizeof(void*)) {
    scan_some(copy + done, std::min(kSmallWords, (bytes - done) / sizeof(void*)), ObjectKind::kRaw);
  }
  if (words == Words::kOfFrames) {
    push_ends(copy, copy + bytes);
  }
  work_.scanned_bytes += bytes;
}

void Marker::scan_copied(std::span<const os::Piece> pieces, Words words) {
  while (!pieces.empty()) {
    size_t count = 0;
    size_t bytes = 0;
    while (count < std::min(pieces.size(), os::kMostPieces) &&
           bytes + pieces[count].bytes <= kCopy) {
      bytes += pieces[count++].bytes;
    }
    if (count > 1 && os::try_read_all(copy_, pieces.first(count))) {
      scan_copy(bytes, words);
    } else {
      count = std::max<size_t>(count, 1);
      for (const os::Piece& piece : pieces.first(count)) {
        scan_copied(piece.from, piece.from + piece.bytes, words);
      }
    }
    pieces = pieces.subspan(count);
  }
}

void Marker::scan_copied(Address start, Address end, Words words) {
  for (Address at = round_up(start, alignof(void*)); at + sizeof(void*) <= end; at += kCopy) {
    size_t bytes = std::min(kCopy, round_down(end - at, sizeof(void*)));
    (void)os::read_what_is_there(copy_, at, bytes);
    scan_copy(bytes, words);
  }
}

// A place inside a large object where scanning goes on.
void Marker::scan_piece(Address from) {
  ObjectRef object = find_object(from);
  if (!object) {
    return;
  }
  Address end = object.start + object_size(object);
  Address stop = std::min(end, from + kPiece);
  if (stop < end) {
    push_item(stop | 1);
  }
  scan_object(from, stop, object.entry.kind());
}

void Marker::scan(ObjectRef object) {
  size_t size = object_size(object);
  if (BURROW_LIKELY(size <= kSmallWords * sizeof(void*) && !any_no_access())) {
    // Not by the loop of scan_object, which would cost a fifth of the time.
    scan_some(object.start, size / sizeof(void*), object.entry.kind());
    work_.scanned_bytes += size;
    return;
  }
  if (BURROW_UNLIKELY(size > kPiece)) {
    push_item((object.start + kPiece) | 1);
    size = kPiece;
  }
  scan_object(object.start, object.start + size, object.entry.kind());
}

// REQUIRES: the last batch is served. False when there are no objects at hand.
bool Marker::next_batch() {
  size_t count = 0;
  Address item = 0;
  while (count < kBatch && pop_item(item)) {
    if (BURROW_UNLIKELY((item & 1) != 0)) {
      scan_piece(item & ~Address{1});
      continue;
    }
    ObjectRef object = find_object(item);
    batch_[count] = object;
    count += object ? 1 : 0;
  }
  at_ = 0;
  batched_ = count;
  return count > 0;
}

void Marker::fetch_lines() const {
  const std::atomic<uint64_t>* marks = next_marks();
  for (const ObjectRef& object : std::span(batch_).first(batched_)) {
    const void* mark = &marks[granule_of(object.start) / 64];
    bool scans = object.entry.kind() != ObjectKind::kNoscan;
    __builtin_prefetch(mark, 1);
    __builtin_prefetch(scans ? reinterpret_cast<const void*>(object.start) : mark);
  }
}

// What is new and has pointers stays in the batch.
void Marker::mark_batch() {
  size_t count = 0;
  uint64_t bytes = 0;
  uint64_t objects = 0;
  for (const ObjectRef& object : std::span(batch_).first(batched_)) {
    if (!next_mark(object.start).set()) {
      continue;
    }
    bytes += object_size(object);
    ++objects;
    batch_[count] = object;
    count += object.entry.kind() != ObjectKind::kNoscan ? 1 : 0;
  }
  batched_ = count;
  work_.marked_bytes += bytes;
  work_.marked_objects += objects;
}

bool Marker::drain(size_t budget) {
  NativeScan scan(*flag_);
  return drain_some(budget);
}

bool Marker::drain_some(size_t budget) {
  uint64_t stop = work_.scanned_bytes + work_.marked_bytes + budget;
  for (;;) {
    while (at_ < batched_) {
      scan(batch_[at_++]);
      if (work_.scanned_bytes + work_.marked_bytes >= stop) {
        return false;
      }
    }
    if (BURROW_UNLIKELY(g_mark_pool.wants_work())) {
      give();
    }
    if (!next_batch()) {
      return true;
    }
    fetch_lines();
    mark_batch();
    if (work_.scanned_bytes + work_.marked_bytes >= stop) {
      return false;
    }
  }
}

}  // namespace burrow::gc
