// Names of sources.
#include <gtest/gtest.h>

#include "fetch.h"

namespace burrow::cmd {
namespace {

constexpr const char* kHeap = "/debug/pprof/heap";

TEST(Source, UrlsAreTaken) {
  struct Case {
    const char* text;
    std::string url;
    const char* socket;
  };

  const Case cases[] = {
      {"http://localhost:6060", std::string("http://localhost:6060") + kHeap, ""},
      {"http://localhost:6060/", std::string("http://localhost:6060") + kHeap, ""},
      {"localhost:6060", std::string("http://localhost:6060") + kHeap, ""},
      {"localhost:6060/debug/pprof", std::string("http://localhost:6060") + kHeap, ""},
      {"localhost:6060/debug/pprof/?seconds=5",
       std::string("http://localhost:6060") + kHeap + "?seconds=5", ""},
      {"localhost:6060?seconds=5", std::string("http://localhost:6060") + kHeap + "?seconds=5", ""},
      {"http://h/debug/pprof/allocs", "http://h/debug/pprof/allocs", ""},
      {"HTTPS://h/x", "https://h/x", ""},
      {"[::1]:6060", std::string("http://[::1]:6060") + kHeap, ""},
      {"http://[::1]/x", "http://[::1]/x", ""},
      {"unix:/run/a.sock", std::string("http://localhost") + kHeap, "/run/a.sock"},
      {"unix:a.sock", std::string("http://localhost") + kHeap, "a.sock"},
      {"unix:/run/a.sock:/debug/pprof/allocs?seconds=1",
       "http://localhost/debug/pprof/allocs?seconds=1", "/run/a.sock"},
  };
  for (const Case& c : cases) {
    std::optional<Source> source = parse_source(c.text);
    ASSERT_TRUE(source) << c.text;
    EXPECT_EQ(source->url, c.url) << c.text;
    EXPECT_EQ(source->socket, c.socket) << c.text;
  }
}

TEST(Source, OthersAreNot) {
  for (const char* text : {"", "file", "/a/file", "file.pb.gz", "unix:", "ftp://h/x", "file:///x",
                           "http://", "http:///x", "http://h:x/", "http://h:65536/", "h:", ":6060",
                           "localhost:60 60", "http://h/a b", "http://h/\n", "://", "unix::/x"}) {
    EXPECT_FALSE(parse_source(text)) << text;
  }
}

TEST(Source, WaitsAsLongAsTheProfileTakes) {
  using std::chrono::seconds;
  EXPECT_EQ(time_limit({"http://h/x", ""}, std::nullopt), seconds(60));
  EXPECT_EQ(time_limit({"http://h/x", ""}, 5), seconds(5));
  EXPECT_EQ(time_limit({"http://h/x?seconds=100", ""}, std::nullopt), seconds(155));
  EXPECT_EQ(time_limit({"http://h/x?debug=0&seconds=100", ""}, std::nullopt), seconds(155));
  EXPECT_EQ(time_limit({"http://h/x?seconds=100", ""}, 7), seconds(7));
  EXPECT_EQ(time_limit({"http://h/x?seconds=x", ""}, std::nullopt), seconds(60));
}

}  // namespace
}  // namespace burrow::cmd
