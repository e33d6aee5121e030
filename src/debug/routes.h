// What a path means. See debug_server.h.
#pragma once

#include <optional>
#include <string>

#include "debug/profiles.h"
#include "debug/request.h"

namespace burrow::debug {

/// A capture that waits for its end.
struct Capture {
  const Profile* profile = nullptr;
  int64_t seconds = 0;
  Snapshot before;
};

/// An answer, or a capture to wait for.
struct Outcome {
  Response response;
  std::optional<Capture> capture;
};

/// Answers a request. `capturing`: another capture is under way, so that none can be had.
[[nodiscard]] Outcome handle(const Request& request, bool capturing);

/// The answer when a capture's time is over.
[[nodiscard]] Response finish_capture(const Capture& capture);

/// Whether /debug/pprof/cmdline is served. Off at first: arguments may hold secrets.
void show_command_line(bool show);

/// An error as net/http/pprof writes it: one line of plain text.
[[nodiscard]] Response error_response(int status, std::string_view line);

}  // namespace burrow::debug
