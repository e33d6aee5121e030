// One HTTP request, as its bytes come in. See request.h.
#include "debug/request.h"

#include <strings.h>

#include <utility>

#include "debug/limits.h"
#include "debug/query.h"

namespace burrow::debug {

// http_parser's C callbacks; a value other than 0 ends the parsing.
struct RequestParser::Callbacks {
  static RequestParser& self(http_parser* p) { return *static_cast<RequestParser*>(p->data); }

  static int url(http_parser* p, const char* at, size_t length) {
    RequestParser& r = self(p);
    r.url_.append(at, length);
    return r.url_.size() > kMaxUrlBytes ? r.fail(414) : 0;
  }

  static int header_field(http_parser* p, const char* at, size_t length) {
    RequestParser& r = self(p);
    if (std::exchange(r.in_value_, false)) {
      r.header_name_.clear();
    }
    r.header_name_.append(at, length);
    return 0;
  }

  static int header_value(http_parser* p, const char* at, size_t length) {
    RequestParser& r = self(p);
    r.in_value_ = true;
    if (strcasecmp(r.header_name_.c_str(), "Host") == 0) {
      r.request_.host.append(at, length);
    } else if (strcasecmp(r.header_name_.c_str(), "Expect") == 0) {
      r.expect_.append(at, length);
    }
    return 0;
  }

  static int headers_complete(http_parser* p) { return self(p).end_headers(); }

  static int body(http_parser* p, const char* at, size_t length) {
    RequestParser& r = self(p);
    r.request_.body.append(at, length);
    return r.request_.body.size() > kMaxBodyBytes ? r.fail(413) : 0;
  }

  static int message_complete(http_parser* p) {
    self(p).done_ = true;
    http_parser_pause(p, 1);  // what follows is another request, which is not answered
    return 0;
  }
};

const http_parser_settings RequestParser::kSettings = {
    .on_message_begin = nullptr,
    .on_url = Callbacks::url,
    .on_status = nullptr,
    .on_header_field = Callbacks::header_field,
    .on_header_value = Callbacks::header_value,
    .on_headers_complete = Callbacks::headers_complete,
    .on_body = Callbacks::body,
    .on_message_complete = Callbacks::message_complete,
    .on_chunk_header = nullptr,
    .on_chunk_complete = nullptr,
};

RequestParser::RequestParser() : parser_{} {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
}

int RequestParser::fail(int status) {
  status_ = status;
  return -1;
}

int RequestParser::end_headers() {
  headers_done_ = true;
  // UINT64_MAX: no length was given.
  if (parser_.content_length != UINT64_MAX && parser_.content_length > kMaxBodyBytes) {
    return fail(413);
  }
  expects_continue_ = strcasecmp(expect_.c_str(), "100-continue") == 0;
  return 0;
}

bool RequestParser::take_expects_continue() {
  return std::exchange(expects_continue_, false);
}

bool RequestParser::split_url() {
  http_parser_url parts;
  http_parser_url_init(&parts);
  if (http_parser_parse_url(url_.data(), url_.size(), parser_.method == HTTP_CONNECT ? 1 : 0,
                            &parts) != 0) {
    return false;
  }
  auto part = [&](http_parser_url_fields field) {
    const auto& span = parts.field_data[field];
    return (parts.field_set & 1U << field) != 0 ? std::string_view(url_).substr(span.off, span.len)
                                                : std::string_view();
  };
  std::optional<std::string> path = percent_decode(part(UF_PATH));
  if (!path) {
    return false;
  }
  request_.path = std::move(*path);
  request_.query = part(UF_QUERY);
  return true;
}

RequestParser::State RequestParser::finish() {
  request_.method = http_method_str(static_cast<http_method>(parser_.method));
  request_.takes_chunks = parser_.http_major == 1 && parser_.http_minor >= 1;
  return split_url() ? State::kComplete : State::kBad;
}

RequestParser::State RequestParser::feed(std::string_view bytes) {
  size_t room = kMaxHeaderBytes + 1 - bytes_;
  std::string_view now = headers_done_ ? bytes : bytes.substr(0, room);
  size_t used = http_parser_execute(&parser_, &kSettings, now.data(), now.size());
  if (done_) {
    return finish();
  }
  if (!headers_done_) {
    bytes_ += now.size();
    if (bytes_ > kMaxHeaderBytes) {
      status_ = status_ == 414 ? 414 : 431;
      return State::kBad;
    }
  }
  if (parser_.http_errno != HPE_OK || used < now.size()) {
    return State::kBad;
  }
  return now.size() < bytes.size() ? feed(bytes.substr(now.size())) : State::kMore;
}

}  // namespace burrow::debug
