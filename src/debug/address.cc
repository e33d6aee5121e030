// The address that the server is asked to serve on. See address.h.
#include "debug/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace burrow::debug {
namespace {

constexpr char kExamples[] = "write for example localhost:6060, 127.0.0.1:0 or unix:/path";

Address refuse(std::string_view why) {
  Address a;
  a.error = std::string(why) + "; " + kExamples;
  return a;
}

std::optional<in_port_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return htons(port);
}

Address parse_unix(std::string_view path) {
  Address a;
  a.kind = Address::Kind::kUnix;
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return refuse("a socket needs a path");
  }
  if (path.size() >= sizeof a.socket.path.sun_path) {
    return refuse("the path is longer than the 107 bytes that a socket's may have");
  }
  a.socket.path.sun_family = AF_UNIX;
  std::memcpy(a.socket.path.sun_path, path.data(), path.size());
  a.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return a;
}

Address v4(in_addr host, in_port_t port) {
  Address a;
  a.socket.v4.sin_family = AF_INET;
  a.socket.v4.sin_addr = host;
  a.socket.v4.sin_port = port;
  a.length = sizeof a.socket.v4;
  bool loopback = ntohl(host.s_addr) >> 24 == 127;
  a.kind = loopback ? Address::Kind::kLoopback : Address::Kind::kPublic;
  return a;
}

Address v6(const in6_addr& host, in_port_t port) {
  Address a;
  a.socket.v6.sin6_family = AF_INET6;
  a.socket.v6.sin6_addr = host;
  a.socket.v6.sin6_port = port;
  a.length = sizeof a.socket.v6;
  bool loopback = std::memcmp(&host, &in6addr_loopback, sizeof host) == 0;
  a.kind = loopback ? Address::Kind::kLoopback : Address::Kind::kPublic;
  return a;
}

bool is_number(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

Address parse_address(std::string_view text) {
  if (text.starts_with("unix:")) {
    return parse_unix(text.substr(5));
  }
  size_t colon = text.rfind(':');
  std::optional<in_port_t> port =
      colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port) {
    return refuse("it has no port from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  in_addr host4{};
  in6_addr host6{};
  if (host.empty()) {
    Address a = v6(in6addr_any, *port);
    a.dual_stack = true;
    return a;
  }
  if (host == "localhost") {
    host4.s_addr = htonl(INADDR_LOOPBACK);
    return v4(host4, *port);
  }
  if (inet_pton(AF_INET, host.c_str(), &host4) == 1) {
    return v4(host4, *port);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']' &&
      inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &host6) == 1) {
    return v6(host6, *port);
  }
  return refuse("its host is neither localhost nor an IP address (IPv6 in brackets)");
}

std::string url_of(const Address& address) {
  char host[INET6_ADDRSTRLEN] = "";
  switch (address.socket.generic.sa_family) {
    case AF_UNIX:
      return std::string("unix:") + address.socket.path.sun_path;
    case AF_INET: {
      const sockaddr_in& a = address.socket.v4;
      inet_ntop(AF_INET, &a.sin_addr, host, sizeof host);
      std::string shown = a.sin_addr.s_addr == htonl(INADDR_ANY) ? "127.0.0.1" : host;
      return "http://" + shown + ":" + std::to_string(ntohs(a.sin_port)) + "/debug/pprof/";
    }
    default: {
      const sockaddr_in6& a = address.socket.v6;
      inet_ntop(AF_INET6, &a.sin6_addr, host, sizeof host);
      std::string shown = std::string("[") + host + "]";
      if (address.dual_stack) {
        shown = "127.0.0.1";
      } else if (IN6_IS_ADDR_UNSPECIFIED(&a.sin6_addr)) {
        shown = "[::1]";
      }
      return "http://" + shown + ":" + std::to_string(ntohs(a.sin6_port)) + "/debug/pprof/";
    }
  }
}

bool is_local_host_header(std::string_view host) {
  if (host.starts_with('[')) {
    size_t end = host.find(']');
    return end != std::string_view::npos && is_number(std::string(host.substr(1, end - 1)));
  }
  std::string name(host.substr(0, host.find(':')));
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return name.empty() || name == "localhost" || name.ends_with(".localhost") || is_number(name);
}

}  // namespace burrow::debug
