// One client's connection. See connection.h.
#include "debug/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <new>
#include <string_view>

#include "debug/address.h"
#include "debug/limits.h"
#include "heap/heap.h"
#include "os/os.h"
#include "prof/prof.h"

namespace burrow::debug {

namespace {

// An answer is begun only when there is memory to spare, lest it takes the program's last: what
// strings take at least, and a few times the profiler's tables. The block is not touched, and costs
// no more than a system call. The program may still be faster: see `refuse`.
bool has_memory_for_answer() {
  constexpr size_t kLeast = size_t{8} << 20;
  void* block = heap::allocate(kLeast + 4 * prof::memory_bytes());
  heap::deallocate(block);
  return block != nullptr;
}

// As `error_response` would write it, but for the date: nothing is allocated to send it.
constexpr std::string_view kOutOfMemory =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Go-Pprof: 1\r\n"
    "Content-Length: 29\r\n"
    "Connection: close\r\n\r\n"
    "the program is out of memory\n";

}  // namespace

Connection::Connection(OwnFd fd, int64_t now_ns) : fd_(fd), deadline_ns_(now_ns + kReadNs) {}

void Connection::enter(Phase phase, int64_t allowed_ns) {
  phase_ = phase;
  deadline_ns_ = os::monotonic_ns() + allowed_ns;
}

short Connection::events() const {
  switch (phase_) {
    case Phase::kReading:
    case Phase::kClosing:
      return POLLIN;
    case Phase::kCapturing:
      return POLLRDHUP;
    case Phase::kWriting:
      return POLLOUT;
    case Phase::kDone:
      break;
  }
  return 0;
}

void Connection::advance(short revents, const Context& context) {
  try {
    step(revents, context);
  } catch (const std::bad_alloc&) {
    refuse();
  }
}

void Connection::expire() {
  try {
    time_out();
  } catch (const std::bad_alloc&) {
    refuse();
  }
}

// Of a response that was complete nothing can fail. One that is made in pieces is left unfinished,
// which its client notices; else none has been begun.
void Connection::refuse() {
  capture_ = {};
  if (rest_ != nullptr) {
    phase_ = Phase::kDone;
    return;
  }
  out_ = {};
  if (send(fd_.fd, kOutOfMemory.data(), kOutOfMemory.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    phase_ = Phase::kDone;
    return;
  }
  shutdown(fd_.fd, SHUT_WR);
  enter(Phase::kClosing, kCloseNs);
}

void Connection::step(short revents, const Context& context) {
  if ((revents & POLLNVAL) != 0 || !FdTable::is_ours(fd_)) {
    phase_ = Phase::kDone;  // the program has closed it
    return;
  }
  switch (phase_) {
    case Phase::kReading:
      return read_request(context);
    case Phase::kCapturing:
      phase_ = Phase::kDone;  // the client has gone, and the capture with it
      return;
    case Phase::kWriting:
      return write_response();
    case Phase::kClosing:
      return drain();
    case Phase::kDone:
      return;
  }
}

void Connection::time_out() {
  if (phase_ == Phase::kCapturing) {
    if (!has_memory_for_answer()) {
      return refuse();
    }
    respond(finish_capture(capture_), true);
    capture_ = {};
    return;
  }
  if (phase_ == Phase::kReading) {
    return respond(error_response(408, "the request did not come in time"), true);
  }
  phase_ = Phase::kDone;
}

void Connection::read_request(const Context& context) {
  std::array<char, 16384> buffer;
  ssize_t n = recv(fd_.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (n <= 0) {
    phase_ = Phase::kDone;
    return;
  }
  RequestParser::State state = parser_.feed({buffer.data(), static_cast<size_t>(n)});
  if (parser_.take_expects_continue() && state == RequestParser::State::kMore) {
    constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    (void)send(fd_.fd, kGoOn.data(), kGoOn.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  if (state == RequestParser::State::kBad) {
    respond(error_response(parser_.status(), "the request is malformed or too large"), true);
  } else if (state == RequestParser::State::kComplete) {
    answer(context);
  }
}

void Connection::answer(const Context& context) {
  const Request& request = parser_.request();
  if (context.local_only && !is_local_host_header(request.host)) {
    return respond(error_response(403,
                                  "this server answers to localhost and IP addresses only, "
                                  "not to the Host of this request"),
                   true);
  }
  if (!has_memory_for_answer()) {
    return refuse();
  }
  Outcome outcome = handle(request, context.capturing != nullptr);
  if (outcome.capture) {
    capture_ = std::move(*outcome.capture);
    return enter(Phase::kCapturing, capture_.seconds * kSecondNs);
  }
  respond(std::move(outcome.response), request.method != "HEAD");
}

void Connection::respond(Response response, bool with_body) {
  chunked_ = parser_.request().takes_chunks;
  out_ = response_text(response, with_body, os::wall_ns(), chunked_);
  sent_ = 0;
  if (with_body) {
    rest_ = std::move(response.rest);
  }
  enter(Phase::kWriting, kWriteNs);
  write_response();
}

bool Connection::next_piece() {
  if (rest_ == nullptr) {
    return false;
  }
  std::string piece;
  const bool more = rest_->next(piece);
  out_ = chunked_ ? chunk_text(piece) : std::move(piece);
  if (!more) {
    out_ += chunked_ ? chunk_text("") : "";
    rest_ = nullptr;
  }
  sent_ = 0;
  return true;
}

void Connection::write_response() {
  while (sent_ < out_.size() || next_piece()) {
    ssize_t n = send(fd_.fd, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (n < 0) {
      phase_ = Phase::kDone;
      return;
    }
    sent_ += static_cast<size_t>(n);
  }
  out_ = {};
  // Closing now, with unread bytes, would reset the connection and lose the response.
  shutdown(fd_.fd, SHUT_WR);
  enter(Phase::kClosing, kCloseNs);
}

void Connection::drain() {
  std::array<char, 16384> buffer;
  ssize_t n = recv(fd_.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  drained_ += n > 0 ? static_cast<size_t>(n) : 0;
  if (n <= 0 || drained_ > kMaxBodyBytes) {
    phase_ = Phase::kDone;
  }
}

}  // namespace burrow::debug
