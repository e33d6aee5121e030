// The server's thread. See debug_server.h.
#pragma once

#include <poll.h>

#include <atomic>
#include <memory>
#include <vector>

#include "debug/connection.h"
#include "debug/listener.h"

namespace burrow::debug {

class Server {
 public:
  explicit Server(Listener listener) : listener_(std::move(listener)) {
    connections_.reserve(kMaxConnections);
    polled_.reserve(kMaxConnections + 1);
  }

  /// Closes the listening socket. REQUIRES: `run` has returned.
  ~Server() { g_fds.close(listener_.socket); }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves until `ask_to_stop`, or until the program has closed the listening socket. Closes
  /// the connections before it returns.
  void run();

  /// Any thread.
  void ask_to_stop();

  [[nodiscard]] const Listener& listener() const { return listener_; }

 private:
  struct Ready {
    Connection* connection;
    short revents;
  };

  [[nodiscard]] bool wait(int64_t now_ns);
  [[nodiscard]] int64_t poll_timeout_ms(int64_t now_ns) const;
  void accept_all();
  [[nodiscard]] bool make_room();
  void advance_ready();
  void expire_late(int64_t now_ns);
  [[nodiscard]] Connection::Context context() const;

  Listener listener_;
  // Both with room for all, so that nothing is allocated to wait.
  std::vector<std::unique_ptr<Connection>> connections_;  ///< oldest first
  std::vector<pollfd> polled_;   ///< the listener, then the connections in their order
  int64_t accept_after_ns_ = 0;  ///< the process was out of descriptors
  std::atomic<bool> stopping_{false};
};

}  // namespace burrow::debug
