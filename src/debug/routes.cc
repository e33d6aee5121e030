// What a path means. See routes.h.
#include "debug/routes.h"

#include <atomic>

#include "debug/figures.h"
#include "debug/index.h"
#include "debug/limits.h"
#include "debug/memstats.h"
#include "debug/metrics.h"
#include "debug/query.h"
#include "debug/symbol.h"
#include "heap/hooks.h"
#include "os/thread.h"

namespace burrow::debug {
namespace {

constexpr std::string_view kPrefix = "/debug/pprof/";
// Relaxed: a setting on its own.
constinit std::atomic<bool> g_show_command_line{false};

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kNosniff[] = "X-Content-Type-Options: nosniff\r\n";

Response answer(const char* type, std::string body) {
  return {200, type, kNosniff, std::move(body)};
}

// What fits into one piece is sent as other answers are.
Response answer_in_pieces(const char* type, std::unique_ptr<BodySource> source) {
  Response response = answer(type, "");
  if (source->next(response.body)) {
    response.rest = std::move(source);
  }
  return response;
}

Response redirect(int status, const std::string& target) {
  return {status, kHtml, "Location: " + target + "\r\n",
          "<a href=\"" + std::string(kPrefix) + "\">Moved Permanently</a>.\n\n"};
}

Response attachment_head(const std::string& name) {
  return {200,
          "application/octet-stream",
          kNosniff + ("Content-Disposition: attachment; filename=\"" + name + "\"\r\n"),
          {}};
}

Response attachment(const std::string& name, std::string body) {
  if (body.empty()) {
    return error_response(503, "there was no memory to compress the profile in; try again");
  }
  Response r = attachment_head(name);
  r.body = std::move(body);
  return r;
}

// As Go's handler for `seconds`.
Outcome start_capture(const Profile& profile, const Request& request, std::string_view text,
                      bool capturing) {
  std::optional<int64_t> seconds = parse_int(text);
  if (!seconds || *seconds <= 0) {
    return {error_response(400, "invalid value for \"seconds\" - must be a positive integer"), {}};
  }
  if (profile.subtract == nullptr) {
    return {error_response(400, "\"seconds\" parameter is not supported for this profile type"),
            {}};
  }
  if (*seconds > kMaxCaptureSeconds) {
    return {error_response(400, "\"seconds\" is over the limit of " +
                                    std::to_string(kMaxCaptureSeconds) + " for one capture"),
            {}};
  }
  if (parse_int(query_value(request.query, "debug")).value_or(0) != 0) {
    return {error_response(400, "seconds and debug params are incompatible"), {}};
  }
  if (capturing) {
    return {error_response(503, "another capture with \"seconds\" is under way; try again later"),
            {}};
  }
  if (request.method == "HEAD") {
    return {attachment_head(std::string(profile.name) + "-delta.pb.gz"), {}};  // without waiting
  }
  return {{}, Capture{&profile, *seconds, profile.take()}};
}

// As in Go, for the profile of live memory only.
void collect_if_asked(const Profile& profile, const Request& request) {
  const heap::CollectorHooks* hooks = heap::collector_hooks();
  if (&profile == &kHeapProfile && hooks != nullptr &&
      parse_int(query_value(request.query, "gc")).value_or(0) > 0) {
    hooks->collect();
  }
}

Outcome serve_profile(const Profile& profile, const Request& request, bool capturing) {
  if (std::string seconds = query_value(request.query, "seconds"); !seconds.empty()) {
    return start_capture(profile, request, seconds, capturing);
  }
  int64_t debug = parse_int(query_value(request.query, "debug")).value_or(0);
  collect_if_asked(profile, request);
  Snapshot now = profile.take();
  if (debug != 0 && profile.text_source != nullptr) {
    return {answer_in_pieces(kPlain, profile.text_source(std::move(now))), {}};
  }
  if (debug != 0) {
    return {answer(kPlain, profile.write_text(profile, now, debug)), {}};
  }
  return {attachment(std::string(profile.name) + ".pb.gz", profile.write_pprof(profile, now)), {}};
}

Response serve_command_line() {
  if (!g_show_command_line.load(std::memory_order_relaxed)) {
    return error_response(404,
                          "the command line may hold secrets; start the program with "
                          "BURROW_HTTP_CMDLINE=1 to show it");
  }
  return answer(kPlain, command_line());
}

Response serve_symbols(const Request& request) {
  return answer(kPlain, symbol_answer(request.method == "POST" ? request.body : request.query));
}

Outcome serve_pprof(std::string_view name, const Request& request, bool capturing) {
  if (name.empty()) {
    return {answer(kHtml, index_page(request.host)), {}};
  }
  if (name == "cmdline") {
    return {serve_command_line(), {}};
  }
  if (name == "symbol") {
    return {serve_symbols(request), {}};
  }
  if (name == "profile" || name == "trace") {
    return {error_response(404,
                           "Unknown profile: there are no CPU profiles and traces here; "
                           "perf record gives them"),
            {}};
  }
  if (const Profile* profile = find_profile(name); profile != nullptr) {
    return serve_profile(*profile, request, capturing);
  }
  return {error_response(404, "Unknown profile"), {}};
}

}  // namespace

void show_command_line(bool show) {
  g_show_command_line.store(show, std::memory_order_relaxed);
}

Response error_response(int status, std::string_view line) {
  return {status, kPlain, std::string(kNosniff) + "X-Go-Pprof: 1\r\n", std::string(line) + "\n"};
}

Response finish_capture(const Capture& capture) {
  const Profile& p = *capture.profile;
  Snapshot delta = p.subtract(p.take(), capture.before);
  return attachment(std::string(p.name) + "-delta.pb.gz", p.write_pprof(p, delta));
}

Outcome handle(const Request& request, bool capturing) {
  if (request.method != "GET" && request.method != "HEAD" && request.method != "POST") {
    Response r = error_response(405, "Method not allowed: use GET");
    r.headers += "Allow: GET, HEAD, POST\r\n";
    return {std::move(r), {}};
  }
  std::string_view path = request.path;
  if (path.starts_with(kPrefix)) {
    return serve_pprof(path.substr(kPrefix.size()), request, capturing);
  }
  if (path == "/debug/pprof") {
    std::string query = request.query.empty() ? "" : "?" + request.query;
    return {redirect(301, std::string(kPrefix) + query), {}};
  }
  if (path == "/") {
    return {redirect(302, std::string(kPrefix)), {}};
  }
  if (path == "/debug/memstats") {
    return {answer("application/json; charset=utf-8", memstats_json(read_figures())), {}};
  }
  if (path == "/metrics") {
    return {answer("text/plain; version=0.0.4; charset=utf-8",
                   metrics_text(read_figures(), os::process_threads())),
            {}};
  }
  return {error_response(404, "404 page not found; the profiles are at /debug/pprof/"), {}};
}

}  // namespace burrow::debug
