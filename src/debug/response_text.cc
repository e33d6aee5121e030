// The bytes of a response. See connection.h.
#include <http_parser.h>

#include <array>
#include <charconv>
#include <chrono>

#include "debug/connection.h"
#include "debug/limits.h"

namespace burrow::debug {
namespace {

const char* reason_phrase(int status) {
  return http_status_str(static_cast<http_status>(status));
}

std::string two_digits(int64_t value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

// "Wed, 25 Nov 2026 16:19:38 GMT", whatever the program's locale.
std::string http_date(int64_t wall_ns) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t seconds = wall_ns / kSecondNs;
  std::chrono::sys_days day{std::chrono::days(seconds / 86400)};
  std::chrono::year_month_day date(day);
  std::string out = kDays[std::chrono::weekday(day).c_encoding()];
  out += ", " + two_digits(static_cast<unsigned>(date.day())) + " ";
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += " " + std::to_string(static_cast<int>(date.year())) + " ";
  return out + two_digits(seconds / 3600 % 24) + ":" + two_digits(seconds / 60 % 60) + ":" +
         two_digits(seconds % 60) + " GMT";
}

}  // namespace

std::string chunk_text(std::string_view piece) {
  std::array<char, 20> length;
  char* end = std::to_chars(length.data(), length.data() + length.size(), piece.size(), 16).ptr;
  std::string chunk(length.data(), end);
  chunk.reserve(chunk.size() + piece.size() + 4);
  chunk += "\r\n";
  chunk += piece;
  return chunk + "\r\n";
}

std::string response_text(const Response& response, bool with_body, int64_t wall_ns,
                          bool takes_chunks) {
  std::string out =
      "HTTP/1.1 " + std::to_string(response.status) + " " + reason_phrase(response.status) + "\r\n";
  out += "Content-Type: " + response.content_type + "\r\n";
  out += response.headers;
  const bool chunked = response.rest != nullptr && takes_chunks;
  // The length of what HEAD has not made is not known.
  if (chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (response.rest == nullptr && (with_body || !response.body.empty())) {
    out += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  out += "Date: " + http_date(wall_ns) + "\r\nConnection: close\r\n\r\n";
  return !with_body ? out : out + (chunked ? chunk_text(response.body) : response.body);
}

}  // namespace burrow::debug
