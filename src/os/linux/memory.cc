// Memory on Linux. See os/os.h.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/bits.h"
#include "base/errno_scope.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// Relaxed: set at start.
constinit std::atomic<bool> g_cannot_move{false};
constinit std::atomic<bool> g_cannot_read{false};

void* map(void* hint, size_t bytes, int protection, int extra_flags) {
  ErrnoScope keep;
  void* p = ::mmap(hint, bytes, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

// Not the C library's function, in whose place Burrow's own stands in a program: see
// gc/no_access.h.
int change_access(void* start, size_t bytes, int protection) {
  return static_cast<int>(::syscall(SYS_mprotect, start, bytes, protection));
}

template <typename F>
bool quietly(F call) {
  ErrnoScope keep;
  bool ok = call() == 0;
  return ok;
}

// How many bytes could be read.
size_t read_some(void* to, uintptr_t from, size_t bytes) {
  if (g_cannot_read.load(std::memory_order_relaxed)) {
    return 0;
  }
  ErrnoScope keep;
  iovec mine{to, bytes};
  iovec theirs{reinterpret_cast<void*>(from), bytes};
  ssize_t got = ::process_vm_readv(::getpid(), &mine, 1, &theirs, 1, 0);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

// What `read_some` refuses: by /proc/self/mem, which a debugger would use, and which looks at no
// page's rights; else by a pipe, as the kernel looks whether it can read before it does.
class SecondReader {
 public:
  SecondReader() = default;

  ~SecondReader() {
    ErrnoScope keep;
    for (int fd : {memory_, pipe_[0], pipe_[1]}) {
      if (fd >= 0) {
        ::syscall(SYS_close, fd);
      }
    }
  }

  SecondReader(const SecondReader&) = delete;
  SecondReader& operator=(const SecondReader&) = delete;

  size_t read(void* to, uintptr_t from, size_t bytes) {
    ErrnoScope keep;
    if (!opened_) {
      opened_ = true;
      memory_ =
          static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC));
    }
    ssize_t got =
        memory_ >= 0 ? ::syscall(SYS_pread64, memory_, to, bytes, static_cast<off_t>(from)) : -1;
    if (got > 0) {
      return static_cast<size_t>(got);
    }
    return memory_ < 0 ? through_pipe(to, from, bytes) : 0;
  }

 private:
  size_t through_pipe(void* to, uintptr_t from, size_t bytes) {
    if (pipe_[0] < 0 && ::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) {
      return 0;
    }
    size_t page = std::min(bytes, kOsPageSize - from % kOsPageSize);
    ssize_t put = ::syscall(SYS_write, pipe_[1], reinterpret_cast<const void*>(from), page);
    return put > 0 && ::syscall(SYS_read, pipe_[0], to, static_cast<size_t>(put)) == put
               ? static_cast<size_t>(put)
               : 0;
  }

  bool opened_ = false;
  int memory_ = -1;
  int pipe_[2] = {-1, -1};
};

}  // namespace

void* reserve(size_t bytes, size_t alignment) {
  size_t slack = alignment > kOsPageSize ? alignment : 0;
  char* p = static_cast<char*>(map(nullptr, bytes + slack, PROT_NONE, 0));
  if (p == nullptr) {
    return nullptr;
  }
  auto address = reinterpret_cast<uintptr_t>(p);
  size_t lead = round_up(address, uintptr_t{alignment}) - address;
  if (lead > 0) {
    ::munmap(p, lead);
  }
  if (slack > lead) {
    ::munmap(p + lead + bytes, slack - lead);
  }
  note_own_memory(p + lead, bytes);
  return p + lead;
}

void unreserve(void* start, size_t bytes) {
  forget_own_memory(start);
  quietly([&] { return ::munmap(start, bytes); });
}

bool commit(void* start, size_t bytes) {
  return quietly([&] { return change_access(start, bytes, PROT_READ | PROT_WRITE); });
}

bool release(void* start, size_t bytes) {
  return quietly([&] { return ::madvise(start, bytes, MADV_DONTNEED); });
}

bool protect_read_only(void* start, size_t bytes) {
  return quietly([&] { return change_access(start, bytes, PROT_READ); });
}

bool protect_none(void* start, size_t bytes) {
  return quietly([&] { return change_access(start, bytes, PROT_NONE); });
}

bool move_pages(void* from, void* to, size_t bytes) {
#ifndef MREMAP_DONTUNMAP
  constexpr int MREMAP_DONTUNMAP = 4;
#endif
  if (g_cannot_move.load(std::memory_order_relaxed)) {
    return false;
  }
  ErrnoScope keep;
  void* p = ::mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
  if (p == MAP_FAILED) {
    // The kernel may have unmapped `to` before it found the obstacle (locked pages; more than one
    // mapping at `from`). Without a mapping the block at `to` could not be used.
    (void)renew(to, bytes);
  }
  return p != MAP_FAILED;
}

void forbid_move_pages() {
  g_cannot_move.store(true, std::memory_order_relaxed);
}

bool renew(void* start, size_t bytes) {
  return map(start, bytes, PROT_READ | PROT_WRITE, MAP_FIXED) == start;
}

bool advise_huge(void* start, size_t bytes) {
  return quietly([&] { return ::madvise(start, bytes, MADV_HUGEPAGE); });
}

void* map_memory(size_t bytes) {
  void* p = map(nullptr, bytes, PROT_READ | PROT_WRITE, 0);
  if (p != nullptr) {
    note_own_memory(p, bytes);
  }
  return p;
}

void unmap_memory(void* start, size_t bytes) {
  forget_own_memory(start);
  quietly([&] { return ::munmap(start, bytes); });
}

bool try_read(void* to, uintptr_t from, size_t bytes) {
  return read_some(to, from, bytes) == bytes;
}

bool try_read_all(void* to, std::span<const Piece> pieces) {
  if (g_cannot_read.load(std::memory_order_relaxed)) {
    return false;
  }
  ErrnoScope keep;
  std::array<iovec, kMostPieces> theirs;
  size_t bytes = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    theirs[i] = {reinterpret_cast<void*>(pieces[i].from), pieces[i].bytes};
    bytes += pieces[i].bytes;
  }
  iovec mine{to, bytes};
  return ::process_vm_readv(::getpid(), &mine, 1, theirs.data(), pieces.size(), 0) ==
         static_cast<ssize_t>(bytes);
}

size_t read_what_is_there(void* to, uintptr_t from, size_t bytes) {
  auto* out = static_cast<char*>(to);
  size_t good = 0;
  SecondReader second;
  for (size_t done = 0; done < bytes;) {
    size_t got = read_some(out + done, from + done, bytes - done);
    if (got == 0) {
      got = second.read(out + done, from + done, bytes - done);
    }
    good += got;
    done += got;
    if (got == 0) {
      size_t page = std::min(bytes - done, kOsPageSize - (from + done) % kOsPageSize);
      std::memset(out + done, 0, page);
      done += page;
    }
  }
  return good;
}

void forbid_process_reads() {
  g_cannot_read.store(true, std::memory_order_relaxed);
}

}  // namespace burrow::os
