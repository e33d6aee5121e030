// Names of sources. See fetch.h.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "fetch.h"

namespace burrow::cmd {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHeap = "/debug/pprof/heap";

// The path of a URL with the profile's where it names none.
std::string with_profile(std::string_view path) {
  size_t end = std::min(path.find('?'), path.size());
  std::string_view name = path.substr(0, end);
  bool none = name.empty() || name == "/" || name == "/debug/pprof" || name == "/debug/pprof/";
  return std::string(none ? kHeap : name) + std::string(path.substr(end));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

std::optional<Source> parse_unix(std::string_view rest) {
  size_t colon = rest.find(":/");
  std::string socket(rest.substr(0, colon));
  std::string_view path = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  if (socket.empty()) {
    return std::nullopt;
  }
  return Source{"http://localhost" + with_profile(path), socket};
}

}  // namespace

std::optional<Source> parse_source(const std::string& text) {
  if (text.starts_with(kUnix)) {
    return parse_unix(std::string_view(text).substr(kUnix.size()));
  }
  std::string_view rest(text);
  std::string scheme = "http";
  size_t mark = text.find("://");
  if (mark != std::string::npos) {
    scheme = lower(rest.substr(0, mark));
    rest.remove_prefix(mark + 3);
  }
  size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view host = rest.substr(0, end);
  size_t colon = host.rfind(':');
  bool has_port =
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  if ((scheme != "http" && scheme != "https") || host.empty() ||
      (has_port && !is_port(host.substr(colon + 1))) ||
      (mark == std::string::npos && (!has_port || colon == 0)) ||
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 127; })) {
    return std::nullopt;
  }
  return Source{scheme + "://" + std::string(host) + with_profile(rest.substr(end)), ""};
}

std::chrono::seconds time_limit(const Source& source, std::optional<int> seconds) {
  if (seconds) {
    return std::chrono::seconds(*seconds);
  }
  for (std::string_view key : {"?seconds=", "&seconds="}) {
    size_t at = source.url.find(key);
    if (at == std::string::npos) {
      continue;
    }
    int value = 0;
    const char* end = source.url.data() + source.url.size();
    auto error = std::from_chars(source.url.data() + at + key.size(), end, value).ec;
    if (error == std::errc() && value > 0 && value < 1'000'000) {
      return std::chrono::seconds(value + value / 2 + 5);
    }
  }
  return std::chrono::seconds(60);
}

}  // namespace burrow::cmd
