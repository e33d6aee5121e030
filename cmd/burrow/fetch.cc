// `burrow fetch`. See fetch.h.
#include "fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "console.h"
#include "files.h"

namespace burrow::cmd {
namespace {

// Writes what is no regular file (a pipe, /dev/null) as it comes.
bool write_in_place(const char* path, std::string_view body) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool written = fd >= 0 && write_all(fd, body);
  return fd >= 0 && close(fd) == 0 && written;
}

// Beside the file first, and then in its place: nobody sees a part of it.
bool write_whole(const std::string& path, std::string_view body) {
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return write_in_place(path.c_str(), body);
  }
  std::string beside = path + ".XXXXXX";
  int fd = mkostemp(beside.data(), O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  mode_t mask = umask(0);
  umask(mask);
  constexpr mode_t kReadable = 0666;
  bool written = write_all(fd, body) && fchmod(fd, kReadable & ~mask) == 0;
  written = close(fd) == 0 && written && rename(beside.c_str(), path.c_str()) == 0;
  if (!written) {
    int error = errno;
    unlink(beside.c_str());
    errno = error;
  }
  return written;
}

}  // namespace

int fetch(const FetchOptions& options) {
  std::optional<Source> source = parse_source(options.source);
  if (!source) {
    return complain(kUsage,
                    options.source + " is no source: write http://HOST:PORT/PATH or unix:/PATH");
  }
  std::string body;
  std::string error;
  if (!download(*source, time_limit(*source, options.timeout), body, error)) {
    return complain(kFailed, options.source + ": " + error);
  }
  bool written =
      options.output == "-" ? write_all(STDOUT_FILENO, body) : write_whole(options.output, body);
  if (!written) {
    return complain(kFailed, "cannot write " + options.output + ": " + error_text(errno));
  }
  return 0;
}

}  // namespace burrow::cmd
