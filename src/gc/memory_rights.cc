// Functions of the C library by which a program takes its access from memory: here they note what
// of that lies in the arena, where the collector reads. See no_access.h.
//
// Defined in the program or in libburrow, they come before the C library's for all objects. A
// program that asks the kernel itself is not seen.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/annotations.h"
#include "gc/no_access.h"

namespace {

using burrow::Address;

// Around a call that changes what may be read of a range.
template <typename Call>
auto change(const void* start, size_t bytes, bool readable, Call call) {
  auto from = reinterpret_cast<Address>(start);
  if (!readable) {
    burrow::gc::note_no_access(from, from + bytes);
    return call();
  }
  auto result = call();
  burrow::gc::forget_no_access(from, from + bytes);
  return result;
}

// x86's pages that may be written or executed can be read as well.
bool can_read(int protection) {
  return (protection & (PROT_READ | PROT_WRITE | PROT_EXEC)) != 0;
}

void* map(void* hint, size_t bytes, int protection, int flags, int fd, off_t offset) {
  auto call = [&] {
    return reinterpret_cast<void*>(syscall(SYS_mmap, hint, bytes, protection, flags, fd, offset));
  };
  if ((flags & MAP_FIXED) == 0) {
    return call();
  }
  // A file may become shorter than its mapping.
  return change(hint, bytes, can_read(protection) && (flags & MAP_ANONYMOUS) != 0, call);
}

}  // namespace

extern "C" {

BURROW_EXPORT int mprotect(void* start, size_t bytes, int protection) noexcept {
  return change(start, bytes, can_read(protection),
                [&] { return static_cast<int>(syscall(SYS_mprotect, start, bytes, protection)); });
}

BURROW_EXPORT int pkey_mprotect(void* start, size_t bytes, int protection, int key) noexcept {
  // Each thread has rights of its own to pages with a key.
  return change(start, bytes, can_read(protection) && key <= 0, [&] {
    return static_cast<int>(key == -1 ? syscall(SYS_mprotect, start, bytes, protection)
                                      : syscall(SYS_pkey_mprotect, start, bytes, protection, key));
  });
}

BURROW_EXPORT int madvise(void* start, size_t bytes, int advice) noexcept {
  constexpr int kGuardInstall = 102;
  constexpr int kGuardRemove = 103;
  auto call = [&] { return static_cast<int>(syscall(SYS_madvise, start, bytes, advice)); };
  if (advice != kGuardInstall && advice != kGuardRemove) {
    return call();
  }
  return change(start, bytes, advice == kGuardRemove, call);
}

BURROW_EXPORT void* mmap(void* hint, size_t bytes, int protection, int flags, int fd,
                         off_t offset) noexcept {
  return map(hint, bytes, protection, flags, fd, offset);
}

BURROW_EXPORT void* mmap64(void* hint, size_t bytes, int protection, int flags, int fd,
                           off64_t offset) noexcept {
  return map(hint, bytes, protection, flags, fd, offset);
}
}
