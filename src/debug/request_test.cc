// Requests are read whole or byte by byte, and refused with the right status.
#include "debug/request.h"

#include <gtest/gtest.h>

#include "debug/limits.h"

namespace burrow::debug {
namespace {

using State = RequestParser::State;

State feed_bytes(RequestParser& parser, std::string_view text) {
  State state = State::kMore;
  for (size_t i = 0; i < text.size() && state == State::kMore; ++i) {
    state = parser.feed(text.substr(i, 1));
  }
  return state;
}

int status_of(const std::string& text) {
  RequestParser whole;
  RequestParser pieces;
  EXPECT_EQ(whole.feed(text), State::kBad);
  EXPECT_EQ(feed_bytes(pieces, text), State::kBad);
  EXPECT_EQ(whole.status(), pieces.status());
  return whole.status();
}

TEST(Request, Parts) {
  constexpr std::string_view kText =
      "POST /debug/pprof/%73ymbol?a=%31&b HTTP/1.1\r\nhOsT: localhost:6060\r\nX-Host: no\r\n"
      "Content-Length: 7\r\n\r\n0x1+0x2GET / HTTP/1.1\r\n\r\n";
  for (bool whole : {true, false}) {
    RequestParser parser;
    ASSERT_EQ(whole ? parser.feed(kText) : feed_bytes(parser, kText), State::kComplete);
    const Request& r = parser.request();
    EXPECT_EQ(r.method, "POST");
    EXPECT_EQ(r.path, "/debug/pprof/symbol");
    EXPECT_EQ(r.query, "a=%31&b");
    EXPECT_EQ(r.host, "localhost:6060");
    EXPECT_EQ(r.body, "0x1+0x2");
  }
}

TEST(Request, ChunkedBodyAndAbsoluteUrl) {
  RequestParser parser;
  ASSERT_EQ(parser.feed("POST http://localhost:1/metrics?x=1#f HTTP/1.1\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            State::kComplete);
  EXPECT_EQ(parser.request().path, "/metrics");
  EXPECT_EQ(parser.request().query, "x=1");
  EXPECT_EQ(parser.request().body, "abcde");
}

TEST(Request, GoAheadIsAskedForOnce) {
  RequestParser parser;
  EXPECT_EQ(parser.feed("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
            State::kMore);
  EXPECT_TRUE(parser.take_expects_continue());
  EXPECT_FALSE(parser.take_expects_continue());
  EXPECT_EQ(parser.feed("x"), State::kComplete);
}

TEST(Request, MalformedIs400) {
  EXPECT_EQ(status_of("hello\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET noslash HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /%zz HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            400);
}

TEST(Request, TooLargeHasItsStatus) {
  std::string line = "GET /?" + std::string(kMaxUrlBytes, 'q');
  EXPECT_EQ(status_of(line + " HTTP/1.1\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nA: " + std::string(kMaxHeaderBytes, 'h')), 431);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"), 413);
  std::string chunk = "100000\r\n" + std::string(0x100000, 'b') + "\r\n1\r\nc\r\n";
  RequestParser parser;
  EXPECT_EQ(parser.feed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk),
            State::kBad);
  EXPECT_EQ(parser.status(), 413);
}

TEST(Request, LargestIsTaken) {
  RequestParser parser;
  EXPECT_EQ(parser.feed("POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n"), State::kMore);
  EXPECT_EQ(parser.feed(std::string(kMaxBodyBytes, 'b')), State::kComplete);
  EXPECT_EQ(parser.request().body.size(), kMaxBodyBytes);
}

}  // namespace
}  // namespace burrow::debug
