// The server's descriptors. See fd_table.h.
#include "debug/fd_table.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace burrow::debug {
namespace {

// Programs expect the lowest free numbers for themselves, and some have them fixed.
constexpr int kLowest = 100;

// Moves a descriptor out of the program's way, as far as the limit allows.
int move_up(int fd) {
  for (int lowest : {kLowest, 3}) {
    if (fd >= lowest) {
      return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (high >= 0) {
      close(fd);
      return high;
    }
  }
  return fd;
}

}  // namespace

constinit FdTable g_fds;

OwnFd FdTable::keep(int fd) {
  if (fd < 0) {
    return {};
  }
  for (OwnFd& entry : fds_) {
    if (entry.fd < 0) {
      entry.fd = move_up(fd);
      struct stat status{};
      fstat(entry.fd, &status);
      entry.inode = status.st_ino;
      return entry;
    }
  }
  ::close(fd);
  errno = EMFILE;
  return {};
}

OwnFd FdTable::open_socket(int family) {
  MutexLock hold(lock_);
  return keep(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

OwnFd FdTable::accept_from(int listener) {
  MutexLock hold(lock_);
  return keep(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

bool FdTable::is_ours(OwnFd fd) {
  struct stat status{};
  return fstat(fd.fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == fd.inode;
}

void FdTable::close(OwnFd fd) {
  MutexLock hold(lock_);
  for (OwnFd& entry : fds_) {
    if (entry.fd >= 0 && entry.fd == fd.fd && entry.inode == fd.inode) {
      if (is_ours(entry)) {
        ::close(entry.fd);
      }
      entry = {};
    }
  }
}

void FdTable::close_all_in_child() {
  MutexLock hold(lock_);
  for (OwnFd& entry : fds_) {
    if (entry.fd >= 0 && is_ours(entry)) {
      ::close(entry.fd);
    }
    entry = {};
  }
}

}  // namespace burrow::debug
