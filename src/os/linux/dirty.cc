// Which pages were written to, on Linux. See os/dirty.h.
#include "os/dirty.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/linux/page_scan.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// Newer than Debian 12's headers: include/uapi/linux/userfaultfd.h of Linux 6.7.
constexpr uint64_t kFeatureWpAsync = 1 << 15;
constexpr int kUserModeOnly = 1;

constexpr uint64_t kScanCheckAsync = 2;

// What counts as written when the kernel cannot tell.
constexpr uintptr_t kPiece = uintptr_t{2} * 1024 * 1024;

}  // namespace

void DirtyTracker::close_all() {
  for (int* fd : {&uffd_, &pagemap_}) {
    if (*fd >= 0) {
      close(*fd);
      *fd = -1;
    }
  }
}

bool DirtyTracker::init(uintptr_t start, uintptr_t limit) {
  if (debug_option("nodirty") == "1") {
    return false;
  }
  int saved = errno;
  start_ = start;
  limit_ = limit;
  uffd_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | kUserModeOnly));
  pagemap_ = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = kFeatureWpAsync;
  bool good = uffd_ >= 0 && pagemap_ >= 0 && ioctl(uffd_, UFFDIO_API, &api) == 0 && watch() &&
              forget(start, std::min(limit, start + kPiece));
  if (!good) {
    close_all();
  }
  errno = saved;
  return good;
}

bool DirtyTracker::watch() {
  uffdio_register range{};
  range.range = {start_, limit_ - start_};
  range.mode = UFFDIO_REGISTER_MODE_WP;
  return ioctl(uffd_, UFFDIO_REGISTER, &range) == 0;
}

bool DirtyTracker::forget(uintptr_t from, uintptr_t to) {
  PageScan scan{};
  scan.size = sizeof(scan);
  scan.flags = kForget | kScanCheckAsync;
  scan.start = from;
  scan.end = to;
  scan.category_mask = kPageIsWritten;
  return ioctl(pagemap_, kPagemapScan, &scan) >= 0;
}

void DirtyTracker::let(uintptr_t from, uintptr_t to) {
  uffdio_writeprotect range{};
  range.range = {from, to - from};
  // Refused: pages stay protected, and the kernel lifts that at the first write.
  (void)ioctl(uffd_, UFFDIO_WRITEPROTECT, &range);
}

void DirtyTracker::look(uintptr_t from, uintptr_t to, uint64_t flags, Visit visit, void* argument) {
  for (uintptr_t at = from; at < to;) {
    at = look_at_some(at, to, flags, visit, argument);
  }
}

// One call of the kernel, or two; returns how far it came.
uintptr_t DirtyTracker::look_at_some(uintptr_t at, uintptr_t end, uint64_t flags, Visit visit,
                                     void* argument) {
  // Zeroed: a call that fails half-way has written the regions that it found and protected again,
  // but does not tell their number.
  std::array<PageRegion, 256> regions{};
  PageScan scan{};
  scan.size = sizeof(scan);
  scan.flags = flags | kScanCheckAsync;
  scan.start = at;
  scan.end = end;
  scan.vec = reinterpret_cast<uint64_t>(regions.data());
  scan.vec_len = regions.size();
  scan.category_mask = kPageIsWritten;
  scan.return_mask = kPageIsWritten;
  long n = ioctl(pagemap_, kPagemapScan, &scan);
  for (const PageRegion& region : regions) {
    if (region.end == 0) {
      break;
    }
    visit(argument, region.start, region.end);
  }
  if (n >= 0) {
    return scan.walk_end > at ? scan.walk_end : end;
  }
  // Somewhere lies what the kernel does not watch: find out by pieces where.
  uintptr_t stop = std::min(end, (at | (kPiece - 1)) + 1);
  if (end > stop) {
    return look_at_some(at, stop, flags, visit, argument);
  }
  visit(argument, at, stop);
  return stop;
}

void DirtyTracker::reset_after_fork() {
  close_all();
}

}  // namespace burrow::os
