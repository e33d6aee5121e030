// The heap profile in a file. See profile_file.h.
#include "prof/profile_file.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "os/os.h"
#include "prof/pprof_writer.h"
#include "prof/profile.h"
#include "prof/profile_name.h"

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

bool write_and_close(int fd, const HeapProfile& profile) {
  bool written = write_all(fd, write_heap_pprof(profile, ProfileKind::kHeap));
  int error = errno;
  if (close(fd) != 0 && written) {
    return false;
  }
  errno = written ? errno : error;
  return written;
}

int open_new(const char* path) {
  return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

// Whether a profile of ours is in the file, with samples: a larger one has some.
bool has_samples(int fd) {
  std::array<char, 16384> packed;
  ssize_t size = pread(fd, packed.data(), packed.size(), 0);
  if (size <= 0 || static_cast<size_t>(size) == packed.size()) {
    return size > 0;
  }
  constexpr size_t kMostUnpacked = size_t{1} << 20;
  auto plain = std::make_unique_for_overwrite<char[]>(kMostUnpacked);
  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> unpack(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  size_t length = 0;
  if (unpack == nullptr ||
      libdeflate_gzip_decompress(unpack.get(), packed.data(), static_cast<size_t>(size),
                                 plain.get(), kMostUnpacked, &length) != LIBDEFLATE_SUCCESS) {
    return true;  // not ours to replace
  }
  return pprof_has_samples({plain.get(), length});
}

}  // namespace

bool write_heap_profile_file(const char* path) {
  // Opened first: a path that is wrong should not cost a snapshot.
  int fd = open_new(path);
  return fd >= 0 && write_and_close(fd, take_heap_profile());
}

WrittenProfile write_profile_unless_taken(const std::string& path) {
  WrittenProfile result{false, path, false};
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return result;
  }
  // Given back by close.
  while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
  }
  HeapProfile profile = take_heap_profile();
  struct stat status{};
  bool empty = fstat(fd, &status) == 0 && status.st_size == 0;
  if (empty || (!profile.records.empty() && !has_samples(fd) && ftruncate(fd, 0) == 0)) {
    result.written = write_and_close(fd, profile);
    return result;
  }
  close(fd);
  if (profile.records.empty()) {
    result.written = true;
    return result;
  }
  result.path = name_beside(path, os::process_id());
  result.taken = true;
  fd = open_new(result.path.c_str());
  result.written = fd >= 0 && write_and_close(fd, profile);
  return result;
}

}  // namespace burrow::prof
