// MCentral: what all threads share of one size class. See mheap.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "heap/magazine.h"
#include "heap/mspan.h"

namespace burrow::heap {

/// The depot of full magazines, and the spans that have blocks left, of one class.
class alignas(64) MCentral {
 public:
  /// Spans that a slow path trims in passing.
  static constexpr size_t kInPassing = 8;

  constexpr MCentral() = default;

  /// Called once for each class before the first use.
  void init(SizeClass c, SpanState state);

  /// Trades an empty magazine for a full one out of the depot; null (and `empty` stays the
  /// caller's) when the depot has none.
  [[nodiscard]] Magazine* exchange_empty(Magazine* empty);

  /// Takes a full magazine (its `count` set) and returns an empty one. When the depot holds enough,
  /// the blocks go home to their spans and `full` comes back, emptied.
  [[nodiscard]] Magazine* exchange_full(Magazine* full);

  /// Takes up to `wanted` blocks out of spans, new ones if need be; returns their number, 0 when
  /// memory is out.
  [[nodiscard]] size_t take(void** out, size_t wanted);

  /// One block of a span, or null.
  [[nodiscard]] void* take_one();

  /// Sends blocks home to their spans.
  void put_back(void* const* blocks, size_t count);

  /// Sends the depot's blocks home, and empty spans to the heap; returns the number of blocks.
  size_t flush_depot();

  /// Called now and then by caches that do not use the class: sends the depot home when nobody has
  /// traded with it since the last call, and gives back pages of spans that hold few blocks, of at
  /// most `most_trimmed` spans.
  void age(size_t most_trimmed = kInPassing);

  /// Blocks that sit in the depot.
  [[nodiscard]] size_t depot_blocks();

  /// Spans of this class, with those that are full.
  [[nodiscard]] size_t span_count();

  /// Checks the lists, every span in them, and the depot's blocks.
  void verify();

  /// For fork.
  Mutex& lock() { return lock_; }

 private:
  friend struct MCentralTestPeer;
  /// Spans are kept by how full they are, so that nearly empty ones drain: eighths, and those of
  /// the lowest one that gave pages back, or had none to give.
  static constexpr size_t kEighths = 8;
  static constexpr size_t kTrimmed = 0;
  static constexpr size_t kSparse = 1;
  static constexpr size_t kLists = kSparse + kEighths;
  static constexpr uint32_t kMostEmpties = 4;

  void put_back_locked(void* const* blocks, size_t count, MSpan*& emptied) BURROW_REQUIRES(lock_);
  void settle(MSpan* span, size_t before, MSpan*& emptied) BURROW_REQUIRES(lock_);
  void file(MSpan* span) BURROW_REQUIRES(lock_);
  void enlist(MSpan* span, size_t list) BURROW_REQUIRES(lock_);
  void unlink(MSpan* span) BURROW_REQUIRES(lock_);
  [[nodiscard]] MSpan* fullest() const BURROW_REQUIRES(lock_);
  [[nodiscard]] bool keeps_empty_span() const BURROW_REQUIRES(lock_);
  [[nodiscard]] size_t depot_limit() const BURROW_REQUIRES(lock_);

  [[nodiscard]] size_t span_total() const { return spans_.load(std::memory_order_relaxed); }

  [[nodiscard]] uint32_t depot_count() const {
    return depot_count_.load(std::memory_order_relaxed);
  }

  size_t send_home(MSpan*& emptied) BURROW_REQUIRES(lock_);
  [[nodiscard]] Magazine* pop_depot() BURROW_REQUIRES(lock_);
  void push_depot(Magazine* full) BURROW_REQUIRES(lock_);
  void trim_if_sparse();
  void trim(size_t most);
  [[nodiscard]] bool too_sparse() const;
  void note_reopened(uint32_t pages) BURROW_REQUIRES(lock_);
  void keep_empty(Magazine* m) BURROW_REQUIRES(lock_);
  [[nodiscard]] Magazine* find_empty() BURROW_REQUIRES(lock_);
  [[nodiscard]] MSpan* take_empty_span();

  Mutex lock_{LockRank::kCentral};
  SizeClass class_;
  SpanState state_ = SpanState::kSmall;
  Magazine* depot_ BURROW_GUARDED_BY(lock_) = nullptr;
  // Its length. Written under the lock; relaxed: `age` reads it without.
  std::atomic<uint32_t> depot_count_{0};
  // Of all of them, and of those in the list kSparse; and the pages beyond an eighth of the spans'
  // that such may hold. Written under the lock; relaxed: `too_sparse` reads them without.
  std::atomic<uint32_t> spans_{0};
  std::atomic<uint32_t> sparse_{0};
  std::atomic<uint32_t> grace_{0};
  int64_t trimmed_ns_ BURROW_GUARDED_BY(lock_) = 0;  // when pages went back last
  uint32_t trades_ BURROW_GUARDED_BY(lock_) = 0;     // with caches; wraps
  uint32_t aged_ BURROW_GUARDED_BY(lock_) = 0;       // trades_ as `age` found it last
  // Empty magazines for exchange_full, so that a steady exchange touches no other lock.
  Magazine* empties_ BURROW_GUARDED_BY(lock_) = nullptr;
  uint32_t empty_count_ BURROW_GUARDED_BY(lock_) = 0;
  std::array<MSpan*, kLists> lists_ BURROW_GUARDED_BY(lock_){};
};

/// The central of a class for ordinary blocks, and that for sampled ones.
MCentral& central_of(SizeClass c);
MCentral& sampled_central_of(SizeClass c);

/// Readies all of them. REQUIRES: one thread at a time, once.
void init_centrals();

}  // namespace burrow::heap
