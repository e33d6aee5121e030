// Central: all spans of one kind and class of the collected heap. See gc.h, "Allocation".
#pragma once

#include <array>
#include <cstddef>

#include "base/mutex.h"
#include "gc/span_list.h"
#include "gc/tables.h"

namespace burrow::gc {

/// A run of free blocks of a span.
struct Run {
  Address start = 0;
  Address end = 0;
};

/// The next run of unmarked blocks at or after the span's cursor, which moves behind it. False when
/// there is none. REQUIRES: the caller owns the span.
[[nodiscard]] bool next_run(heap::MSpan* span, Run& run);

/// The class and kind that a small span was cut for.
inline PageEntry entry_of(const heap::MSpan* span) {
  return {span->collected().entry};
}

/// One kind and class.
class alignas(64) Central {
 public:
  constexpr Central() = default;

  void init(ObjectKind kind, SizeClass c);

  /// A span with room, which is then the caller's: one that is known to have some, one that was not
  /// looked at since the last flip, or a new one; while `settling`, a new one. Null when memory is
  /// out.
  [[nodiscard]] heap::MSpan* acquire();

  /// Takes a span back.
  void release(heap::MSpan* span);

  /// Looks at up to `count` spans that were not looked at since the last flip; false when there
  /// are no more. Spans that nothing was allocated in for a whole cycle and that hold nothing are
  /// given back to MHeap; with `all`, every span that holds nothing.
  bool sweep_some(size_t count, bool all);

  /// Makes all spans unlooked-at. REQUIRES: the world is stopped.
  void flip();

  /// Blocks ever taken by caches, and those of them that were found dead. Of spans that a cache
  /// allocates from, the dead are found when it gives them back.
  struct Figures {
    uint64_t taken = 0;
    uint64_t freed = 0;
  };

  [[nodiscard]] Figures figures();

  void verify();

  /// For fork.
  RankedMutex& lock() { return lock_; }

  /// In the child of a fork: takes back what threads of the parent allocated from, as full. `kept`
  /// is the span that the calling thread allocates from, or null.
  void disown(const heap::MSpan* kept);

  [[nodiscard]] size_t slot() const { return internal::slot_index(kind_, class_.value); }

 private:
  static constexpr size_t kMostSwept = 64;

  enum class Verdict : uint8_t { kFull, kRoom, kEmpty };

  [[nodiscard]] bool due(const heap::MSpan* span) const;
  Verdict look(heap::MSpan* span) BURROW_REQUIRES(lock_);
  /// Brings the next spans to look at near; false when there are none.
  bool fetch(size_t count);
  [[nodiscard]] heap::MSpan* create();
  static void destroy(heap::MSpan* span);

  Mutex lock_{LockRank::kCollectedCentral};
  ObjectKind kind_ = ObjectKind::kNoscan;
  SizeClass class_;
  SpanList all_ BURROW_GUARDED_BY(lock_);
  SpanList partial_ BURROW_GUARDED_BY(lock_);
  size_t sweep_at_ BURROW_GUARDED_BY(lock_) = 0;
  uint64_t freed_ BURROW_GUARDED_BY(lock_) = 0;
};

Central& central_of(ObjectKind kind, SizeClass c);
void init_centrals();

/// Calls `f` for every Central.
template <typename F>
void for_each_central(F f) {
  for (size_t kind = 0; kind < internal::kObjectKinds; ++kind) {
    for (size_t c = 1; c < heap::kNumClasses; ++c) {
      f(central_of(static_cast<ObjectKind>(kind), SizeClass(c)));
    }
  }
}

}  // namespace burrow::gc
