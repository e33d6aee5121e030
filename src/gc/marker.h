// Marker: one hand that marks. See gc.h, "Marking".
//
// A word on its way passes the stack (it was found in an object) and the batch (its object's start
// is known). The mark bits and the first lines of a whole batch are fetched in one loop of few
// instructions: a processor holds a prefetch back until its address is translated, so only those
// within the few hundred instructions that it looks ahead can overlap. What was not marked yet
// stays in the batch and is scanned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gc/mark_pool.h"
#include "gc/no_access.h"
#include "gc/tables.h"
#include "os/mappings.h"

namespace burrow::gc {

/// What words are looked through.
enum class Words : uint8_t {
  kOfMemory,
  /// Of stacks and registers: a pointer just behind an object keeps it as well. That is what a loop
  /// has left of a pointer to the last element once it was moved on.
  kOfFrames,
};

// Two cache lines apart: markers lie side by side, and each writes its own all the time.
class alignas(128) Marker {
 public:
  /// Notes a word that may point to an object.
  void push(Address word) {
    if (word - heap::g_arena.base < heap::g_arena.page_count << kPageShift) {
      push_item(word & ~Address{1});
    }
  }

  /// Pushes every aligned word of [start, end), which can be read. The memory may be changing
  /// meanwhile. In the arena only pages that are noted as such (no_access.h) may be unreadable.
  void scan_words(Address start, Address end, Words words = Words::kOfMemory);

  /// The same for memory of the program, of which some may not be readable, or not for long: that
  /// is passed by.
  void scan_copied(Address start, Address end, Words words = Words::kOfMemory);

  /// The same for many short ranges: as few system calls as can be.
  void scan_copied(std::span<const os::Piece> pieces, Words words);

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

  /// Readies the marker; once. Ends the program when memory is out.
  void init();

  [[nodiscard]] ScanFlag& scan_flag() { return *flag_; }

 private:
  static constexpr size_t kBatch = 32;
  /// So many words are scanned with one look at the stack's room and one word of the pointer table.
  static constexpr size_t kSmallWords = 64;
  /// What is copied before it is scanned, at a time.
  static constexpr size_t kCopy = size_t{64} * 1024;
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
  [[nodiscard]] bool next_batch();
  void fetch_lines() const;
  void mark_batch();
  bool drain_some(size_t budget);
  void scan(ObjectRef object);
  void scan_some(Address start, size_t words, ObjectKind kind);
  void scan_object(Address start, Address end, ObjectKind kind, Words words = Words::kOfMemory);
  void scan_piece(Address from);
  void scan_copy(size_t bytes, Words words);
  void push_ends(Address start, Address end);

  WorkChunk* current_ = nullptr;
  WorkChunk* second_ =
      nullptr;  ///< full or empty: keeps a boundary from being crossed all the time
  std::array<ObjectRef, kBatch> batch_{};
  // [at_, batched_) is marked and not scanned yet.
  size_t at_ = 0;
  size_t batched_ = 0;
  Work work_;
  ScanFlag* flag_ = nullptr;
  Address* copy_ = nullptr;
};

}  // namespace burrow::gc
