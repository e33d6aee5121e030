// Which addresses are taken, what they mean, and which Host headers are local.
#include "debug/address.h"

#include <gtest/gtest.h>

namespace burrow::debug {
namespace {

TEST(Address, KindsAndUrls) {
  struct Case {
    const char* text;
    Address::Kind kind;
    const char* url;
  };
  using enum Address::Kind;
  for (const Case& c : {
           Case{"localhost:6060", kLoopback, "http://127.0.0.1:6060/debug/pprof/"},
           Case{"127.0.0.1:0", kLoopback, "http://127.0.0.1:0/debug/pprof/"},
           Case{"127.9.9.9:65535", kLoopback, "http://127.9.9.9:65535/debug/pprof/"},
           Case{"[::1]:6060", kLoopback, "http://[::1]:6060/debug/pprof/"},
           Case{":6060", kPublic, "http://127.0.0.1:6060/debug/pprof/"},
           Case{"0.0.0.0:80", kPublic, "http://127.0.0.1:80/debug/pprof/"},
           Case{"[::]:80", kPublic, "http://[::1]:80/debug/pprof/"},
           Case{"10.1.2.3:80", kPublic, "http://10.1.2.3:80/debug/pprof/"},
           Case{"[2001:db8::1]:80", kPublic, "http://[2001:db8::1]:80/debug/pprof/"},
           Case{"unix:/run/a b.sock", kUnix, "unix:/run/a b.sock"},
       }) {
    Address a = parse_address(c.text);
    EXPECT_EQ(a.error, "") << c.text;
    EXPECT_EQ(a.kind, c.kind) << c.text;
    EXPECT_EQ(url_of(a), c.url) << c.text;
  }
  EXPECT_TRUE(parse_address(":6060").dual_stack);
  EXPECT_FALSE(parse_address("[::]:6060").dual_stack);
}

TEST(Address, WrongOnesAreExplained) {
  for (const char* text :
       {"", "6060", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
        "localhost:+1", "localhost: 80", "localhost:80 ", "example.org:80", "::1:80", "[::1]",
        "[::1", "[localhost]:80", "[]:80", "256.0.0.1:80", "1.2.3:80", "unix:"}) {
    std::string error = parse_address(text).error;
    EXPECT_NE(error.find("write for example"), std::string::npos) << text << ": " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST(Address, UnixPathHasTheKernelsLimit) {
  EXPECT_EQ(parse_address("unix:" + std::string(107, 'p')).error, "");
  EXPECT_NE(parse_address("unix:" + std::string(108, 'p')).error, "");
}

TEST(Address, HostHeaders) {
  for (const char* host : {"", "localhost", "LOCALHOST:80", "app.localhost:1", "127.0.0.1:6060",
                           "10.0.0.1", "[::1]:6060", "[2001:db8::1]"}) {
    EXPECT_TRUE(is_local_host_header(host)) << host;
  }
  for (const char* host : {"example.org", "example.org:6060", "localhost.example.org",
                           "127.0.0.1.example.org", "notlocalhost", "[::1", "[x]:1", "1.2.3"}) {
    EXPECT_FALSE(is_local_host_header(host)) << host;
  }
}

}  // namespace
}  // namespace burrow::debug
