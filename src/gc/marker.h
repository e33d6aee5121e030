// Marker: one hand that marks. See gc.h, "Marking".
//
// A word on its way to a mark passes three places: the stack (found in an object), the ring (its
// object's start is known; the mark bit and the object's first line are being fetched) and the
// scan. Between entering the ring and leaving it kRing - 1 other words are served, so that a miss
// of the caches costs little.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gc/mark_pool.h"
#include "gc/tables.h"

namespace burrow::gc {

class Marker {
 public:
  /// Notes a word that may point to an object.
  void push(Address word) {
    if (word - heap::g_arena.base < heap::g_arena.page_count << kPageShift) {
      push_item(word & ~Address{1});
    }
  }

  /// Pushes every aligned word of [start, end). The memory may be changing meanwhile.
  void scan_words(Address start, Address end);

  /// Marks until there is no work at hand (then true) or about `budget` bytes were scanned.
  /// Takes work out of the pool, and leaves some there for others.
  bool drain(size_t budget);

  /// Gives all work at hand to the pool.
  void flush();

  /// Bytes of objects marked, and bytes scanned, since the last call.
  struct Work {
    uint64_t marked_bytes = 0;
    uint64_t marked_objects = 0;
    uint64_t scanned_bytes = 0;

    Work& operator+=(const Work& other) {
      marked_bytes += other.marked_bytes;
      marked_objects += other.marked_objects;
      scanned_bytes += other.scanned_bytes;
      return *this;
    }
  };

  [[nodiscard]] Work take_work();

  [[nodiscard]] bool idle() const { return ring_count_ == 0 && current_->count == 0; }

  /// Readies the marker; once.
  void init();

 private:
  static constexpr size_t kRing = 16;
  /// Larger objects are scanned in pieces of this many bytes.
  static constexpr size_t kPiece = size_t{64} * 1024;

  void push_item(Address item) {
    if (BURROW_UNLIKELY(current_->count == WorkChunk::kCapacity)) {
      spill();
    }
    current_->items[current_->count++] = item;
  }

  [[nodiscard]] bool pop_item(Address& item) {
    if (BURROW_UNLIKELY(current_->count == 0) && !fetch()) {
      return false;
    }
    item = current_->items[--current_->count];
    return true;
  }

  void spill();
  void give();
  [[nodiscard]] bool fetch();
  void fill_ring();
  void visit(ObjectRef object);
  void scan_object(Address start, Address end, ObjectKind kind);
  void scan_exact(Address start, Address end);
  void scan_piece(Address from);

  WorkChunk* current_ = nullptr;
  WorkChunk* second_ =
      nullptr;  ///< full or empty: keeps a boundary from being crossed all the time
  std::array<ObjectRef, kRing> ring_{};
  size_t ring_at_ = 0;
  size_t ring_count_ = 0;
  Work work_;
};

}  // namespace burrow::gc
