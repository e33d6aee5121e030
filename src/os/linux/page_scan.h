// The kernel's PAGEMAP_SCAN (Linux 6.7), which is newer than Debian 12's headers: see
// include/uapi/linux/fs.h there. For os/linux alone.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>

namespace burrow::os {

struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};

struct PageScan {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t vec;
  uint64_t vec_len;
  uint64_t max_pages;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_anyof_mask;
  uint64_t return_mask;
};

inline constexpr unsigned long kPagemapScan = _IOWR('f', 16, PageScan);

inline constexpr uint64_t kPageIsWritten = 1 << 1;
inline constexpr uint64_t kPageIsPresent = 1 << 3;
inline constexpr uint64_t kPageIsSwapped = 1 << 4;
inline constexpr uint64_t kPageIsPfnZero = 1 << 5;

}  // namespace burrow::os
