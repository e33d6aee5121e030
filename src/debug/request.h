// One HTTP request, as its bytes come in. See debug_server.h.
#pragma once

#include <http_parser.h>

#include <memory>
#include <string>
#include <string_view>

namespace burrow::debug {

/// A request that is complete.
struct Request {
  std::string method;
  std::string path;   ///< decoded
  std::string query;  ///< as it came, without the question mark
  std::string host;   ///< the Host header
  std::string body;
  bool takes_chunks = false;  ///< HTTP/1.1, where an answer's length need not be known before
};

/// The rest of a body, made piece by piece as the client takes it.
class BodySource {
 public:
  BodySource() = default;
  virtual ~BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;

  /// Appends the next piece; false when it was the last one.
  [[nodiscard]] virtual bool next(std::string& out) = 0;
};

/// What the server answers.
struct Response {
  int status = 200;
  std::string content_type;
  std::string headers;  ///< more header lines, each with its CRLF
  std::string body;
  std::unique_ptr<BodySource> rest = nullptr;  ///< what follows the body, if anything does
};

/// Reads a request; bounded by limits.h.
class RequestParser {
 public:
  RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class State : uint8_t {
    kMore,      ///< bytes are missing
    kComplete,  ///< `request` holds it
    kBad,       ///< `status` says what is wrong with it
  };

  /// Takes the next bytes. REQUIRES: the state is still kMore.
  State feed(std::string_view bytes);

  [[nodiscard]] Request& request() { return request_; }

  /// The status to answer a bad request with.
  [[nodiscard]] int status() const { return status_; }

  /// True once when the client waits for a go-ahead before it sends its body.
  [[nodiscard]] bool take_expects_continue();

 private:
  struct Callbacks;
  static const http_parser_settings kSettings;

  State finish();
  [[nodiscard]] bool split_url();
  int fail(int status);
  int end_headers();

  http_parser parser_;
  Request request_;
  std::string url_;
  std::string header_name_;
  std::string expect_;
  size_t bytes_ = 0;
  bool in_value_ = false;
  bool headers_done_ = false;
  bool done_ = false;
  bool expects_continue_ = false;
  int status_ = 400;
};

}  // namespace burrow::debug
