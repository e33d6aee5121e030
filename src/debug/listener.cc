// The listening socket. See listener.h.
#include "debug/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace burrow::debug {
namespace {

constexpr int kBacklog = 128;

std::string reason(int error) {
  const char* text = strerrordesc_np(error);
  return text != nullptr ? text : "error " + std::to_string(error);
}

bool bind_to(const OwnFd& socket, const Address& a) {
  return bind(socket.fd, &a.socket.generic, a.length) == 0;
}

// True when the path is a socket that refuses connections: its server is gone.
bool is_stale(const Address& a) {
  struct stat status{};
  if (lstat(a.socket.path.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return false;
  }
  OwnFd probe = g_fds.open_socket(AF_UNIX);
  bool refused =
      probe.fd >= 0 && connect(probe.fd, &a.socket.generic, a.length) != 0 && errno == ECONNREFUSED;
  g_fds.close(probe);
  return refused;
}

bool bind_unix(const OwnFd& socket, const Address& a) {
  // On Linux the file takes its mode from the socket; umask is the whole process's and stays.
  if (fchmod(socket.fd, 0600) != 0) {
    return false;
  }
  if (bind_to(socket, a)) {
    return true;
  }
  if (errno != EADDRINUSE) {
    return false;
  }
  if (!is_stale(a)) {
    errno = EADDRINUSE;
    return false;
  }
  return unlink(a.socket.path.sun_path) == 0 && bind_to(socket, a);
}

bool bind_internet(const OwnFd& socket, const Address& a) {
  int on = 1;
  int only = a.dual_stack ? 0 : 1;
  setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a.socket.generic.sa_family == AF_INET6) {
    setsockopt(socket.fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  return bind_to(socket, a);
}

// All interfaces of a machine without IPv6.
Address all_ipv4(const Address& a) {
  Address b = a;
  b.socket = {};
  b.socket.v4.sin_family = AF_INET;
  b.socket.v4.sin_port = a.socket.v6.sin6_port;
  b.length = sizeof b.socket.v4;
  b.dual_stack = false;
  return b;
}

}  // namespace

Listener open_listener(const Address& address) {
  Listener l;
  l.address = address;
  Address& a = l.address;
  bool is_unix = a.kind == Address::Kind::kUnix;
  l.socket = g_fds.open_socket(a.socket.generic.sa_family);
  if (l.socket.fd < 0 && a.dual_stack) {
    a = all_ipv4(a);
    l.socket = g_fds.open_socket(AF_INET);
  }
  bool bound = l.socket.fd >= 0 && (is_unix ? bind_unix(l.socket, a) : bind_internet(l.socket, a));
  if (!bound || listen(l.socket.fd, kBacklog) != 0) {
    l.error = reason(errno);
    g_fds.close(l.socket);
    return l;
  }
  if (is_unix) {
    struct stat status{};
    l.file_inode = lstat(a.socket.path.sun_path, &status) == 0 ? status.st_ino : 0;
  } else {
    a.length = sizeof a.socket;
    getsockname(l.socket.fd, &a.socket.generic, &a.length);
  }
  return l;
}

void remove_socket_file(const Listener& listener) {
  struct stat status{};
  const char* path = listener.address.socket.path.sun_path;
  if (listener.address.kind == Address::Kind::kUnix && listener.file_inode != 0 &&
      lstat(path, &status) == 0 && status.st_ino == listener.file_inode) {
    unlink(path);
  }
}

}  // namespace burrow::debug
