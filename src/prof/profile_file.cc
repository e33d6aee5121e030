// The heap profile in a file. See profile_file.h.
#include "prof/profile_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "prof/pprof_writer.h"
#include "prof/profile.h"

namespace burrow::prof {
namespace {

bool write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = write(fd, data.data(), data.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    data.remove_prefix(n > 0 ? static_cast<size_t>(n) : 0);
  }
  return true;
}

}  // namespace

bool write_heap_profile_file(const char* path) {
  // Opened first: a path that is wrong should not cost a snapshot.
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    return false;
  }
  bool written = write_all(fd, write_heap_pprof(take_heap_profile(), ProfileKind::kHeap));
  int error = errno;
  if (close(fd) != 0 && written) {
    return false;
  }
  errno = written ? errno : error;
  return written;
}

}  // namespace burrow::prof
