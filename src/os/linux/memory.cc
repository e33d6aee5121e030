// Memory on Linux. See os/os.h.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/bits.h"
#include "base/errno_scope.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// Relaxed: set at start.
constinit std::atomic<bool> g_cannot_move{false};

void* map(void* hint, size_t bytes, int protection, int extra_flags) {
  ErrnoScope keep;
  void* p = ::mmap(hint, bytes, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

template <typename F>
bool quietly(F call) {
  ErrnoScope keep;
  bool ok = call() == 0;
  return ok;
}

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
  return p + lead;
}

void unreserve(void* start, size_t bytes) {
  quietly([&] { return ::munmap(start, bytes); });
}

bool commit(void* start, size_t bytes) {
  return quietly([&] { return ::mprotect(start, bytes, PROT_READ | PROT_WRITE); });
}

bool release(void* start, size_t bytes) {
  return quietly([&] { return ::madvise(start, bytes, MADV_DONTNEED); });
}

bool protect_read_only(void* start, size_t bytes) {
  return quietly([&] { return ::mprotect(start, bytes, PROT_READ); });
}

bool protect_none(void* start, size_t bytes) {
  return quietly([&] { return ::mprotect(start, bytes, PROT_NONE); });
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
  return map(nullptr, bytes, PROT_READ | PROT_WRITE, 0);
}

void unmap_memory(void* start, size_t bytes) {
  quietly([&] { return ::munmap(start, bytes); });
}

bool try_read(void* to, uintptr_t from, size_t bytes) {
  ErrnoScope keep;
  iovec mine{to, bytes};
  iovec theirs{reinterpret_cast<void*>(from), bytes};
  return ::process_vm_readv(::getpid(), &mine, 1, &theirs, 1, 0) == static_cast<ssize_t>(bytes);
}

}  // namespace burrow::os
