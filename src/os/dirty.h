// Which pages were written to, as the kernel tells. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::os {

/// Watches one range of private anonymous memory. Linux 6.7 and later: userfaultfd's asynchronous
/// write protection, read by PAGEMAP_SCAN. Elsewhere `init` says no.
class DirtyTracker {
 public:
  constexpr DirtyTracker() = default;

  /// False when the kernel cannot, or BURROW_DEBUG=nodirty=1 forbids it. REQUIRES: page-aligned.
  [[nodiscard]] bool init(uintptr_t start, uintptr_t limit);

  /// Watches the range anew: a mapping moved into it since has lost its watch. False when the
  /// kernel refuses; nothing is known then.
  [[nodiscard]] bool watch();

  /// Forgets what was written to [from, to) so far. False when the kernel refuses.
  [[nodiscard]] bool forget(uintptr_t from, uintptr_t to);

  /// Lets the program write to [from, to) without a fault: all of it counts as written to until it
  /// is forgotten again.
  void let(uintptr_t from, uintptr_t to);

  /// Calls `visit` with each part of [from, to) that was written to since it was forgotten, and
  /// forgets it. What the kernel cannot tell of (a mapping moved here meanwhile) counts as written,
  /// and so does what was never forgotten. Any number of threads, each with a range of its own.
  using Visit = void (*)(void* argument, uintptr_t from, uintptr_t to);

  void collect(uintptr_t from, uintptr_t to, Visit visit, void* argument) {
    look(from, to, kForget, visit, argument);
  }

  /// The same without forgetting it, which is cheaper: the last look.
  void peek(uintptr_t from, uintptr_t to, Visit visit, void* argument) {
    look(from, to, 0, visit, argument);
  }

  /// In the child of a fork, which has no watch of its own.
  void reset_after_fork();

 private:
  static constexpr uint64_t kForget = 1;  ///< PM_SCAN_WP_MATCHING

  void look(uintptr_t from, uintptr_t to, uint64_t flags, Visit visit, void* argument);
  uintptr_t look_at_some(uintptr_t at, uintptr_t end, uint64_t flags, Visit visit, void* argument);
  void close_all();

  int uffd_ = -1;
  int pagemap_ = -1;
  uintptr_t start_ = 0;
  uintptr_t limit_ = 0;
};

}  // namespace burrow::os
