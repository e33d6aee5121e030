// The address that the server is asked to serve on. See debug_server.h.
#pragma once

#include <netinet/in.h>
#include <sys/un.h>

#include <string>
#include <string_view>

namespace burrow::debug {

/// A socket address with what it means.
struct Address {
  enum class Kind : uint8_t { kLoopback, kPublic, kUnix };

  Kind kind = Kind::kLoopback;
  bool dual_stack = false;  ///< all interfaces: IPv6 and IPv4, or IPv4 alone where there is no IPv6

  union {
    sockaddr_un path;  // first, as the largest: the initialiser makes this one zero
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } socket{};

  socklen_t length = 0;
  std::string error;  ///< one line; when it is not empty nothing else counts
};

/// Reads "localhost:6060", ":6060", "127.0.0.1:0", "[::1]:6060" or "unix:/path". Makes no look-up.
[[nodiscard]] Address parse_address(std::string_view text);

/// "http://127.0.0.1:6060/debug/pprof/", or "unix:/path". All interfaces are shown as 127.0.0.1.
[[nodiscard]] std::string url_of(const Address& address);

/// True when `host`, a request's Host header, can only mean this machine by name or is a number: a
/// page of elsewhere whose name was made to resolve to 127.0.0.1 is turned away by it.
[[nodiscard]] bool is_local_host_header(std::string_view host);

}  // namespace burrow::debug
