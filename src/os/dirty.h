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

  /// Forgets what was written to [start, end) so far. False when the kernel refuses; nothing is
  /// known then.
  [[nodiscard]] bool reset(uintptr_t end);

  /// Calls `visit` with each range below `end` that was written to since the last reset or collect,
  /// and forgets it. What the kernel cannot tell of (a mapping moved here meanwhile) counts as
  /// written.
  using Visit = void (*)(void* argument, uintptr_t from, uintptr_t to);
  void collect(uintptr_t end, Visit visit, void* argument);

  [[nodiscard]] bool on() const { return uffd_ >= 0; }

  /// In the child of a fork, which has no watch of its own.
  void reset_after_fork();

 private:
  uintptr_t collect_some(uintptr_t at, uintptr_t end, Visit visit, void* argument);
  void close_all();

  int uffd_ = -1;
  int pagemap_ = -1;
  uintptr_t start_ = 0;
  uintptr_t limit_ = 0;
};

}  // namespace burrow::os
