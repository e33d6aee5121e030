// The server's descriptors. See debug_server.h, Invariants.
#pragma once

#include <sys/types.h>

#include <array>

#include "base/mutex.h"
#include "debug/limits.h"

namespace burrow::debug {

/// A descriptor and what it was when it was opened.
struct OwnFd {
  int fd = -1;
  ino_t inode = 0;
};

/// Every descriptor that the server has open.
class FdTable {
 public:
  /// Opens a socket: close-on-exec, non-blocking. fd is -1 on failure, with errno set.
  [[nodiscard]] OwnFd open_socket(int family);

  /// Accepts a connection. fd is -1 when there is none, with errno set.
  [[nodiscard]] OwnFd accept_from(int listener);

  /// Closes it, unless the program has done so.
  void close(OwnFd fd);

  /// False when the program has closed the descriptor, and perhaps has another file in its place.
  [[nodiscard]] static bool is_ours(OwnFd fd);

  /// For fork.
  RankedMutex& lock() { return lock_; }

  /// The child has no server: closes everything.
  void close_all_in_child();

 private:
  [[nodiscard]] OwnFd keep(int fd) BURROW_REQUIRES(lock_);

  // Nothing is allocated under it: fork takes it when it holds the heap's locks.
  Mutex lock_{LockRank::kLeaf};
  std::array<OwnFd, kMaxConnections + 4> fds_ BURROW_GUARDED_BY(lock_){};
};

extern constinit FdTable g_fds;

}  // namespace burrow::debug
