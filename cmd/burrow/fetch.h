// `burrow fetch`, and what `top` fetches. See commands.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace burrow::cmd {

/// Where a profile is served.
struct Source {
  std::string url;
  std::string socket;  ///< of a server at unix:/PATH; else empty
};

/// Reads a source as pprof does: a URL, HOST:PORT[/...], or unix:/PATH[:/...] with the URL's path
/// behind a second colon. Without a path it is the heap profile. Nullopt when it is none of these.
[[nodiscard]] std::optional<Source> parse_source(const std::string& text);

/// How long to wait: `seconds` where given; else one and a half times the `seconds=` of the URL,
/// else a minute.
[[nodiscard]] std::chrono::seconds time_limit(const Source& source, std::optional<int> seconds);

/// Gets what is served there. False with the reason in `error`: the server's own where it has one.
[[nodiscard]] bool download(const Source& source, std::chrono::seconds limit, std::string& body,
                            std::string& error);

struct FetchOptions {
  std::string source;
  std::string output;
  std::optional<int> timeout;  ///< seconds
};

/// Writes what is served there to a file, wholly or not at all. The exit code.
int fetch(const FetchOptions& options);

}  // namespace burrow::cmd
