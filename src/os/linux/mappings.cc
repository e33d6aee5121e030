// Mappings on Linux. See os/mappings.h.
#include "os/mappings.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

#include "base/bits.h"
#include "base/errno_scope.h"
#include "os/linux/page_scan.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// "start-limit rwxp offset device inode   name".
Mapping parse(std::string_view line) {
  Mapping m;
  const char* first = line.data();
  const char* end = first + line.size();
  const char* at = std::from_chars(first, end, m.start, 16).ptr;
  at = std::from_chars(std::min(at + 1, end), end, m.limit, 16).ptr;
  constexpr size_t kRights = 5;
  if (static_cast<size_t>(end - at) < kRights) {
    return {};
  }
  m.readable = at[1] == 'r';
  m.writable = at[2] == 'w';
  m.shared = at[4] == 's';
  size_t name = line.find_first_of("/[", static_cast<size_t>(at - line.data()));
  if (name != std::string_view::npos) {
    std::string_view text = line.substr(name);
    // Memory that only looks like a file: of huge pages, and shared with children.
    bool memory = text.starts_with("/anon_hugepage") || text.starts_with("/dev/zero (deleted)");
    bool named = text.starts_with("[heap]") || text.starts_with("[stack") ||
                 text.starts_with("[anon:") || text.starts_with("[anon_shmem:");
    m.file = !memory && !named;
  }
  return m;
}

class ProcFile {
 public:
  explicit ProcFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}

  ~ProcFile() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }

  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Visitor {
  void (*visit)(void* argument, uintptr_t from, uintptr_t to);
  void* argument;

  void operator()(uintptr_t from, uintptr_t to) const {
    if (from < to) {
      visit(argument, from, to);
    }
  }
};

// By the kernel's walk over the page tables, which passes what is empty quickly (Linux 6.7). False
// when it has none.
bool scan_present(int pagemap, uintptr_t& at, uintptr_t to, const Visitor& visit) {
  while (at < to) {
    std::array<PageRegion, 128> regions{};
    PageScan scan{};
    scan.size = sizeof(scan);
    scan.start = at;
    scan.end = to;
    scan.vec = reinterpret_cast<uint64_t>(regions.data());
    scan.vec_len = regions.size();
    scan.category_inverted = kPageIsPfnZero;
    scan.category_mask = kPageIsPfnZero;
    scan.category_anyof_mask = kPageIsPresent | kPageIsSwapped;
    scan.return_mask = kPageIsPresent;
    long n = ioctl(pagemap, kPagemapScan, &scan);
    if (n < 0) {
      return false;
    }
    for (const PageRegion& region : std::span(regions).first(static_cast<size_t>(n))) {
      visit(region.start, region.end);
    }
    at = scan.walk_end > at ? scan.walk_end : to;
  }
  return true;
}

// By /proc/self/pagemap's word for each page. False when it cannot be read.
bool read_present(int pagemap, uintptr_t& at, uintptr_t to, const Visitor& visit) {
  constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;
  uintptr_t from = 0;  // of a part whose end is not known yet
  while (at < to) {
    std::array<uint64_t, 512> pages;
    size_t count = std::min(pages.size(), (to - at) / kOsPageSize);
    ssize_t got = pread(pagemap, pages.data(), count * sizeof(uint64_t),
                        static_cast<off_t>(at / kOsPageSize * sizeof(uint64_t)));
    if (got < static_cast<ssize_t>(sizeof(uint64_t))) {
      if (from != 0) {
        visit(from, at);
      }
      return false;
    }
    for (size_t i = 0; i < static_cast<size_t>(got) / sizeof(uint64_t); ++i, at += kOsPageSize) {
      bool present = (pages[i] & kPresentOrSwapped) != 0;
      if (present && from == 0) {
        from = at;
      } else if (!present && from != 0) {
        visit(from, at);
        from = 0;
      }
    }
  }
  if (from != 0) {
    visit(from, to);
  }
  return true;
}

}  // namespace

bool for_each_mapping(void (*visit)(void* argument, const Mapping& mapping), void* argument) {
  ErrnoScope keep;
  ProcFile file("/proc/self/maps");
  std::array<char, 8192> buffer;
  size_t held = 0;
  bool any = false;
  while (file.get() >= 0) {
    ssize_t n = read(file.get(), buffer.data() + held, buffer.size() - held);
    if (n <= 0) {
      break;
    }
    held += static_cast<size_t>(n);
    std::string_view text(buffer.data(), held);
    for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
      Mapping m = parse(text.substr(0, end));
      if (m.limit > m.start) {
        any = true;
        visit(argument, m);
      }
      text.remove_prefix(end + 1);
    }
    held = text.size();
    std::memmove(buffer.data(), text.data(), held);
  }
  return any;
}

Mapping mapping_of(uintptr_t address) {
  Mapping found;
  for_each_mapping([&](const Mapping& m) {
    if (address >= m.start && address < m.limit) {
      found = m;
    }
  });
  return found;
}

void for_each_present(uintptr_t from, uintptr_t to,
                      void (*visit)(void* argument, uintptr_t from, uintptr_t to), void* argument) {
  ErrnoScope keep;
  Visitor visitor{visit, argument};
  ProcFile pagemap("/proc/self/pagemap");
  uintptr_t at = from;
  if (pagemap.get() < 0 || (!scan_present(pagemap.get(), at, to, visitor) &&
                            !read_present(pagemap.get(), at, to, visitor))) {
    visitor(at, to);
  }
}

}  // namespace burrow::os
