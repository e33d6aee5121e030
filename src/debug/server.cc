// The server's thread. See server.h.
#include "debug/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "os/os.h"

namespace burrow::debug {
namespace {

constexpr int kMostAccepts = 16;  // at a time, so that connections get their turn

}  // namespace

void Server::run() {
  // Relaxed: the shutdown in ask_to_stop wakes the poll, whatever is seen of the flag before.
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (!wait(os::monotonic_ns())) {
      break;
    }
    int64_t polled_at = os::monotonic_ns();
    advance_ready();
    expire_late(polled_at);
    std::erase_if(connections_,
                  [](const auto& c) { return c->phase() == Connection::Phase::kDone; });
    if ((polled_[0].revents & POLLIN) != 0) {
      accept_all();
    }
  }
  connections_.clear();
}

void Server::ask_to_stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (FdTable::is_ours(listener_.socket)) {
    shutdown(listener_.socket.fd, SHUT_RDWR);
  }
}

int64_t Server::poll_timeout_ms(int64_t now_ns) const {
  int64_t next = now_ns + kLookNs;
  for (const auto& c : connections_) {
    next = std::min(next, c->deadline_ns());
  }
  if (accept_after_ns_ > now_ns) {
    next = std::min(next, accept_after_ns_);
  }
  return std::max<int64_t>(0, (next - now_ns) / 1'000'000 + 1);
}

// False when the listening socket is no longer there.
bool Server::wait(int64_t now_ns) {
  polled_.clear();
  bool accepting = accept_after_ns_ <= now_ns;
  polled_.push_back({listener_.socket.fd, accepting ? short{POLLIN} : short{0}, 0});
  for (const auto& c : connections_) {
    polled_.push_back({c->fd(), c->events(), 0});
  }
  int timeout = static_cast<int>(poll_timeout_ms(now_ns));
  if (poll(polled_.data(), polled_.size(), timeout) < 0) {
    for (pollfd& p : polled_) {
      p.revents = 0;
    }
  }
  return (polled_[0].revents & (POLLNVAL | POLLERR | POLLHUP)) == 0 &&
         FdTable::is_ours(listener_.socket);
}

Connection::Context Server::context() const {
  Connection* capturing = nullptr;
  for (const auto& c : connections_) {
    if (c->phase() == Connection::Phase::kCapturing) {
      capturing = c.get();
    }
  }
  return {listener_.address.kind == Address::Kind::kLoopback, capturing};
}

void Server::advance_ready() {
  for (size_t i = 1; i < polled_.size(); ++i) {
    if (polled_[i].revents != 0) {
      connections_[i - 1]->advance(polled_[i].revents, context());
    }
  }
}

// Only connections without news: what came in while an answer was written is not late.
void Server::expire_late(int64_t now_ns) {
  for (size_t i = 1; i < polled_.size(); ++i) {
    Connection& c = *connections_[i - 1];
    if (polled_[i].revents == 0 && c.deadline_ns() <= now_ns) {
      c.expire();
    }
  }
}

// Clients that dawdle over their request give way to new ones, the oldest first.
bool Server::make_room() {
  if (connections_.size() < kMaxConnections) {
    return true;
  }
  for (Connection::Phase idle :
       {Connection::Phase::kClosing, Connection::Phase::kReading, Connection::Phase::kWriting}) {
    auto oldest = std::find_if(connections_.begin(), connections_.end(),
                               [&](const auto& c) { return c->phase() == idle; });
    if (oldest != connections_.end()) {
      connections_.erase(oldest);
      return true;
    }
  }
  return false;
}

void Server::accept_all() {
  for (int i = 0; i < kMostAccepts && make_room(); ++i) {
    OwnFd fd = g_fds.accept_from(listener_.socket.fd);
    int64_t now = os::monotonic_ns();
    if (fd.fd >= 0) {
      if (auto* connection = new (std::nothrow) Connection(fd, now); connection != nullptr) {
        connections_.emplace_back(connection);
      } else {
        g_fds.close(fd);
      }
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      accept_after_ns_ = now + kSecondNs;
    }
    if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

}  // namespace burrow::debug
