// The debug server from code: profiles and figures over HTTP, as Go's net/http/pprof has them.
//
// A program that links Burrow needs this only to choose the address itself: BURROW_HTTP in the
// environment starts the same server before main. It serves /debug/pprof/, /debug/memstats and
// /metrics from one thread of its own; docs/debug-vars.md lists all of it.
#pragma once

#include <burrow/internal/cxx20.h>

#include <string>
#include <string_view>

namespace burrow {

/// What came of serve_debug.
struct DebugServer {
  std::string url;    ///< where it serves, such as "http://127.0.0.1:6060/debug/pprof/"
  std::string error;  ///< one line that says why it does not; empty when it does

  /// True when it serves.
  explicit operator bool() const { return error.empty(); }
};

/// Starts the debug server of the process on "localhost:6060", "127.0.0.1:0" (a free port),
/// "[::1]:6060" or "unix:/path". ":6060" and addresses of other machines' networks let others read
/// the profiles; a line on standard error says so. There is one server: a second call fails while
/// it runs. A child of fork has none, and may start its own.
[[nodiscard]] DebugServer serve_debug(std::string_view address);

/// Ends the debug server, however it was started, and waits for its thread; a unix socket's file is
/// removed. Does nothing when there is none.
void stop_debug();

}  // namespace burrow
