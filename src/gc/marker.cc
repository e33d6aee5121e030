// One hand that marks. See marker.h.
#include "gc/marker.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/annotations.h"
#include "base/bits.h"

namespace burrow::gc {

void Marker::init() {
  current_ = g_mark_pool.get_empty();
  second_ = g_mark_pool.get_empty();
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
  while (ring_count_ > 0) {
    ObjectRef object = ring_[ring_at_];
    ring_at_ = (ring_at_ + 1) % kRing;
    --ring_count_;
    push_item(object.start);
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

BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void Marker::scan_words(Address start,
                                                                               Address end) {
  start = round_up(start, alignof(void*));
  for (Address at = start; at + sizeof(void*) <= end; at += sizeof(void*)) {
    push(*reinterpret_cast<const volatile Address*>(at));
  }
  work_.scanned_bytes += end > start ? end - start : 0;
}

// Pointers lie where the table says.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void Marker::scan_exact(Address start,
                                                                               Address end) {
  size_t word = (start - heap::g_arena.base) / sizeof(void*);
  size_t last = (end - heap::g_arena.base) / sizeof(void*);
  while (word < last) {
    size_t shift = word % 64;
    size_t n = std::min(64 - shift, last - word);
    uint64_t bits = g_tables.pointers[word / 64].load(std::memory_order_relaxed) >> shift;
    if (n < 64) {
      bits &= (uint64_t{1} << n) - 1;
    }
    for (; bits != 0; bits &= bits - 1) {
      size_t at = word + static_cast<size_t>(std::countr_zero(bits));
      push(*reinterpret_cast<const volatile Address*>(heap::g_arena.base + at * sizeof(void*)));
    }
    word += n;
  }
  work_.scanned_bytes += end - start;
}

void Marker::scan_object(Address start, Address end, ObjectKind kind) {
  if (kind == ObjectKind::kExact) {
    scan_exact(start, end);
  } else {
    scan_words(start, end);
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

void Marker::visit(ObjectRef object) {
  if (!next_mark(object.start).set()) {
    return;
  }
  size_t size = object_size(object);
  work_.marked_bytes += size;
  ++work_.marked_objects;
  if (object.entry.kind() == ObjectKind::kNoscan) {
    return;
  }
  if (BURROW_UNLIKELY(size > kPiece)) {
    push_item((object.start + kPiece) | 1);
    size = kPiece;
  }
  scan_object(object.start, object.start + size, object.entry.kind());
}

// Moves words from the stack into the ring until it is full.
void Marker::fill_ring() {
  Address item = 0;
  while (ring_count_ < kRing && pop_item(item)) {
    if (BURROW_UNLIKELY((item & 1) != 0)) {
      scan_piece(item & ~Address{1});
      continue;
    }
    ObjectRef object = find_object(item);
    if (!object) {
      continue;
    }
    next_mark(object.start).prefetch();
    if (object.entry.kind() != ObjectKind::kNoscan) {
      __builtin_prefetch(reinterpret_cast<const void*>(object.start));
    }
    ring_[(ring_at_ + ring_count_++) % kRing] = object;
  }
}

bool Marker::drain(size_t budget) {
  uint64_t stop = work_.scanned_bytes + work_.marked_bytes + budget;
  for (;;) {
    fill_ring();
    if (ring_count_ == 0) {
      return true;
    }
    ObjectRef object = ring_[ring_at_];
    ring_at_ = (ring_at_ + 1) % kRing;
    --ring_count_;
    visit(object);
    if (work_.scanned_bytes + work_.marked_bytes >= stop) {
      return false;
    }
    if (BURROW_UNLIKELY(g_mark_pool.wants_work())) {
      give();
    }
  }
}

}  // namespace burrow::gc
