// The texts that the server writes: metrics, memstats, symbols, index, profiles of counts, headers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <regex>
#include <sstream>

#include "debug/connection.h"
#include "debug/index.h"
#include "debug/memstats.h"
#include "debug/metrics.h"
#include "debug/profiles.h"
#include "debug/symbol.h"
#include "os/thread.h"

namespace burrow::debug {
namespace {

using testing::HasSubstr;
using testing::Not;

heap::HeapStats distinct_stats() {
  heap::HeapStats s;
  s.alloc = 101;
  s.total_alloc = 102;
  s.sys = 103;
  s.heap_released = 104;
  s.other_sys = 105;
  s.last_gc = 1'500'000'000;
  s.gc_cpu_fraction = 0.25;
  s.by_size_count = 2;
  s.by_size[0] = {8, 5, 3};
  s.by_size[1] = {16, 7, 6};
  return s;
}

TEST(Metrics, FormatAndOrder) {
  std::istringstream lines(metrics_text(distinct_stats(), 9));
  std::map<std::string, std::string> values;
  std::string previous;
  for (std::string help; std::getline(lines, help);) {
    std::string type;
    std::string sample;
    ASSERT_TRUE(std::getline(lines, type) && std::getline(lines, sample)) << help;
    std::smatch h;
    ASSERT_TRUE(std::regex_match(help, h, std::regex("# HELP ([a-z_]+) [^\\\\]+\\.")));
    std::string name = h[1];
    bool counter = name.ends_with("_total");
    EXPECT_EQ(type, "# TYPE " + name + (counter ? " counter" : " gauge"));
    std::smatch v;
    ASSERT_TRUE(std::regex_match(sample, v, std::regex("([a-z_]+) ([0-9]+(\\.[0-9]+)?)")));
    EXPECT_EQ(v[1], name);
    EXPECT_LT(previous, name);
    previous = name;
    values[name] = v[2];
  }
  EXPECT_EQ(values.size(), 25U);
  EXPECT_EQ(values["go_memstats_alloc_bytes"], "101");
  EXPECT_EQ(values["go_memstats_alloc_bytes_total"], "102");
  EXPECT_EQ(values["go_memstats_sys_bytes"], "103");
  EXPECT_EQ(values["go_memstats_heap_released_bytes"], "104");
  EXPECT_EQ(values["go_memstats_other_sys_bytes"], "105");
  EXPECT_EQ(values["go_memstats_gc_cpu_fraction"], "0.25");
  EXPECT_EQ(values["go_memstats_last_gc_time_seconds"], "1.5");
  EXPECT_EQ(values["go_threads"], "9");
}

TEST(MemStats, JsonAndComments) {
  std::string json = memstats_json(distinct_stats());
  EXPECT_THAT(json, HasSubstr("{\"Alloc\":101,\"TotalAlloc\":102,\"Sys\":103,"));
  EXPECT_THAT(json, HasSubstr("\"GCCPUFraction\":0.25,\"EnableGC\":false,"));
  EXPECT_THAT(json, HasSubstr("\"BySize\":[{\"Size\":8,\"Mallocs\":5,\"Frees\":3},"
                              "{\"Size\":16,\"Mallocs\":7,\"Frees\":6}]}"));
  std::string comments = memstats_comments(distinct_stats());
  EXPECT_TRUE(comments.starts_with("\n# runtime.MemStats\n# Alloc = 101\n# TotalAlloc = 102\n"));
  EXPECT_THAT(comments, HasSubstr("# HeapObjects = 0\n# Stack = 0 / 0\n# MSpan = 0 / 0\n"));
  EXPECT_THAT(comments,
              HasSubstr("# OtherSys = 105\n# NextGC = 0\n# LastGC = 1500000000\n# PauseN"));
  EXPECT_THAT(comments, HasSubstr("# DebugGC = false\n# MaxRSS = "));
}

TEST(Figures, Readable) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1024), "1.0 KiB");
  EXPECT_EQ(readable_bytes(1536 * 1024), "1.5 MiB");
  EXPECT_EQ(readable_bytes(size_t{3} << 40), "3.0 TiB");
  EXPECT_EQ(readable_fraction(0), "0");
  EXPECT_EQ(readable_fraction(0.000001), "0.000001");
  EXPECT_EQ(readable_fraction(12.5), "12.5");
  EXPECT_GE(os::process_threads(), 1U);
}

// Exported, so that dladdr knows it.
extern "C" __attribute__((visibility("default"), noinline)) int burrow_test_known_function() {
  return 7;
}

TEST(Symbol, AnswersAsGo) {
  EXPECT_EQ(symbol_answer(""), "num_symbols: 1\n");
  EXPECT_EQ(symbol_answer("0x0+zz++17x"), "num_symbols: 1\n");
  std::ostringstream hex;
  hex << std::hex << reinterpret_cast<uintptr_t>(&malloc);
  std::string answer = symbol_answer("0x1+0x" + hex.str() + "+");
  EXPECT_TRUE(std::regex_match(answer, std::regex("num_symbols: 1\n0x" + hex.str() + " .*\n")))
      << answer;
}

TEST(Index, EscapesAndFills) {
  EXPECT_EQ(escape_html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
  auto value = [](std::string_view name, void* /*argument*/) {
    return "[" + std::string(name) + "{{no}}]";
  };
  EXPECT_EQ(fill_page("a{{b}}c{{d", value, nullptr), "a[b{{no}}]c{{d");
  std::string page = index_page("<evil>:80");
  EXPECT_THAT(page, HasSubstr("http://&lt;evil&gt;:80/debug/pprof/heap"));
  EXPECT_THAT(page, Not(HasSubstr("<evil>")));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
  for (const char* name : {"heap", "allocs", "threadcreate"}) {
    EXPECT_THAT(page, HasSubstr(std::string("href=\"") + name + "?debug=1\""));
  }
}

Snapshot two_counts() {
  return {{}, {{{}, 2}, {{0x10, 0x20}, 5}}};
}

constexpr Profile kTestProfile = {
    .name = "testing",
    .description = "For this test.",
    .take = two_counts,
    .size = count_size,
    .write_pprof = write_counts,
    .write_text = write_counts_text,
    .subtract = subtract_counts,
};

TEST(Profiles, CountsAsGoWritesThem) {
  EXPECT_EQ(write_counts_text(kTestProfile, two_counts(), 1),
            "testing profile: total 7\n5 @ 0x11 0x21\n\n2 @\n#\t0x0\n\n");
  Snapshot later = two_counts();
  later.counts[1].count = 4;
  Snapshot delta = subtract_counts(later, two_counts());
  ASSERT_EQ(delta.counts.size(), 1U);
  EXPECT_EQ(delta.counts[0].count, -1);
  EXPECT_EQ(delta.counts[0].stack.size(), 2U);
}

TEST(Profiles, CanBeRegisteredOnce) {
  EXPECT_EQ(find_profile("testing"), nullptr);
  EXPECT_TRUE(register_profile(kTestProfile));
  EXPECT_FALSE(register_profile(kTestProfile));
  EXPECT_EQ(find_profile("testing"), &kTestProfile);
  EXPECT_EQ(find_profile(""), nullptr);
  EXPECT_EQ(all_profiles().size(), 4U);
  EXPECT_EQ(all_profiles().front()->name, "allocs");
}

TEST(Response, Headers) {
  Response r{404, "text/plain", "X: y\r\n", "body"};
  std::string expected =
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX: y\r\nContent-Length: 4\r\n"
      "Date: Wed, 25 Nov 2026 16:19:38 GMT\r\nConnection: close\r\n\r\n";
  int64_t moment = int64_t{1795623578} * 1'000'000'000;
  EXPECT_EQ(response_text(r, false, moment), expected);
  EXPECT_EQ(response_text(r, true, moment), expected + "body");
}

}  // namespace
}  // namespace burrow::debug
