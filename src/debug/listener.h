// The listening socket. See debug_server.h.
#pragma once

#include <string>

#include "debug/address.h"
#include "debug/fd_table.h"

namespace burrow::debug {

/// A listening socket.
struct Listener {
  OwnFd socket;
  Address address;       ///< with the port that the kernel chose
  ino_t file_inode = 0;  ///< of a unix socket's file
  std::string error;     ///< one line; when it is not empty there is no socket
};

/// Binds and listens. The file of a unix socket has mode 0600; one that nobody listens on any more
/// is replaced.
[[nodiscard]] Listener open_listener(const Address& address);

/// Removes a unix socket's file if it is still this one's.
void remove_socket_file(const Listener& listener);

}  // namespace burrow::debug
