// Memory of the arena that may not be read, as the program has made it so. See gc.h, "Roots".
//
// A program may take its own access from a malloc'd block's pages (a coroutine library's guard
// below a stack), or put a mapping of its own in their place. Markers read the arena as it is, so
// such pages are noted before the kernel is asked, by the functions of the C library that Burrow
// stands in for (memory_rights.cc), and read by system calls from then on. A marker that has not
// seen the note yet is waited for.
//
// Pages that Burrow closes itself (heap/guard.cc) need no note: their spans' descriptors say that
// they are not to be read. The heap waits for the markers as a note does (`await_scans`).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/mutex.h"
#include "base/units.h"

namespace burrow::gc {

/// Ranges noted. Sequentially consistent: a marker that enters a `NativeScan` sees the note, or the
/// note's maker sees the scan.
inline constinit std::atomic<size_t> g_no_access_count{0};

/// There are some.
inline bool any_no_access() {
  return BURROW_UNLIKELY(g_no_access_count.load(std::memory_order_relaxed) != 0);
}

/// Some of [from, to) is noted.
[[nodiscard]] bool has_no_access(Address from, Address to);

/// [from, to) is about to become unreadable, or may. Any part outside of the arena and of
/// goroutines' stacks is of no interest. Returns when no marker reads there any more.
void note_no_access(Address from, Address to);
/// It can be read again.
void forget_no_access(Address from, Address to);

/// Returns when no marker reads what it may have found readable before the call. False inside
/// Burrow's own work, for example in a signal handler: the marker may be this thread's own.
[[nodiscard]] bool await_scans();

/// Where a marker says that it reads the arena as it is. One thread at a time; for ever.
struct alignas(64) ScanFlag {
  std::atomic<uint32_t> scans{0};  ///< odd while it does
};

/// The flag of the marker at that address.
[[nodiscard]] ScanFlag* scan_flag_of(const void* marker);

/// While it lives the marker reads the arena as it is.
class NativeScan {
 public:
  explicit NativeScan(ScanFlag& flag) : flag_(flag) {
    flag_.scans.fetch_add(1, std::memory_order_seq_cst);
  }

  ~NativeScan() {
    // Release: pairs with the acquire in note_no_access.
    flag_.scans.store(flag_.scans.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  NativeScan(const NativeScan&) = delete;
  NativeScan& operator=(const NativeScan&) = delete;

 private:
  ScanFlag& flag_;
};

/// For fork.
[[nodiscard]] RankedMutex& no_access_lock();

/// In the child of a fork: nobody scans.
void no_access_reset_after_fork();

}  // namespace burrow::gc
