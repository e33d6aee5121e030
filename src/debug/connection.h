// One client's connection: one request, one response, then closed. See debug_server.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "debug/fd_table.h"
#include "debug/routes.h"

namespace burrow::debug {

class Connection {
 public:
  /// What the connection waits for. One function, `enter`, changes it.
  enum class Phase : uint8_t {
    kReading,    ///< the request
    kCapturing,  ///< the end of a capture with `seconds`
    kWriting,    ///< the client to take the response
    kClosing,    ///< the client to close its end, so that it sees all of the response
    kDone,       ///< nothing: to be closed
  };

  Connection(OwnFd fd, int64_t now_ns);

  ~Connection() { g_fds.close(fd_); }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// What every connection has to know of the server.
  struct Context {
    bool local_only;        ///< serve requests with a local Host header only
    Connection* capturing;  ///< whose capture is under way, or null
  };

  [[nodiscard]] int fd() const { return fd_.fd; }

  [[nodiscard]] Phase phase() const { return phase_; }

  [[nodiscard]] int64_t deadline_ns() const { return deadline_ns_; }

  /// Events for poll.
  [[nodiscard]] short events() const;

  /// Something has happened on the socket.
  void advance(short revents, const Context& context);

  /// The deadline is over.
  void expire();

 private:
  void enter(Phase phase, int64_t allowed_ns);
  void read_request(const Context& context);
  void answer(const Context& context);
  void respond(Response response, bool with_body);
  /// Puts the next piece of the body where it is sent from; false when there is none.
  bool next_piece();
  void refuse();
  void step(short revents, const Context& context);
  void time_out();
  void write_response();
  void drain();

  OwnFd fd_;
  Phase phase_ = Phase::kReading;
  int64_t deadline_ns_;
  RequestParser parser_;
  Capture capture_;
  std::string out_;
  std::unique_ptr<BodySource> rest_;  ///< of the response's body
  bool chunked_ = false;
  size_t sent_ = 0;
  size_t drained_ = 0;
};

/// The status line, the headers and, unless left out, the body: as a chunk when more is to follow
/// and the client takes chunks.
[[nodiscard]] std::string response_text(const Response& response, bool with_body, int64_t wall_ns,
                                        bool takes_chunks = true);

/// A piece of a body whose length is not known before; an empty one ends it.
[[nodiscard]] std::string chunk_text(std::string_view piece);

}  // namespace burrow::debug
