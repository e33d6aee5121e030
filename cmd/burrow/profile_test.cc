// Profiles read, whole and damaged, and summed up.
#include "profile.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>
#include <random>

#include "report.h"

namespace burrow::cmd {
namespace {

using protozero::pbf_writer;

/// Writes profile.proto by hand: what the runtime's writer never would, too.
class Writer {
 public:
  Writer() {
    string("");
    value_type("objects", "count");
    value_type("space", "bytes");
  }

  int64_t string(const std::string& text) {
    auto it = std::find(strings_.begin(), strings_.end(), text);
    if (it == strings_.end()) {
      strings_.push_back(text);
      return static_cast<int64_t>(strings_.size()) - 1;
    }
    return it - strings_.begin();
  }

  void value_type(const std::string& type, const std::string& unit) {
    pbf_writer message(writer_, 1);
    message.add_int64(1, string(type));
    message.add_int64(2, string(unit));
  }

  void sample(const std::vector<uint64_t>& locations, const std::vector<int64_t>& values) {
    pbf_writer message(writer_, 2);
    message.add_packed_uint64(1, locations.begin(), locations.end());
    message.add_packed_int64(2, values.begin(), values.end());
  }

  void unpacked_sample(const std::vector<uint64_t>& locations, const std::vector<int64_t>& values) {
    pbf_writer message(writer_, 2);
    for (uint64_t location : locations) {
      message.add_uint64(1, location);
    }
    for (int64_t value : values) {
      message.add_int64(2, value);
    }
  }

  void mapping(uint64_t id, const std::string& file) {
    pbf_writer message(writer_, 3);
    message.add_uint64(1, id);
    message.add_int64(5, string(file));
  }

  void location(uint64_t id, const std::vector<std::pair<uint64_t, int64_t>>& lines,
                uint64_t mapping = 0) {
    pbf_writer message(writer_, 4);
    message.add_uint64(1, id);
    message.add_uint64(2, mapping);
    for (const auto& [function, line] : lines) {
      pbf_writer part(message, 4);
      part.add_uint64(1, function);
      part.add_int64(2, line);
    }
  }

  void function(uint64_t id, const std::string& name, const std::string& file = "a.cc",
                const std::string& system_name = "") {
    pbf_writer message(writer_, 5);
    message.add_uint64(1, id);
    message.add_int64(2, string(name));
    message.add_int64(3, string(system_name.empty() ? name : system_name));
    message.add_int64(4, string(file));
  }

  void number(uint32_t field, int64_t value) { writer_.add_int64(field, value); }

  std::string finish() {
    for (const std::string& text : strings_) {
      writer_.add_string(6, text);
    }
    return data_;
  }

 private:
  std::string data_;
  pbf_writer writer_{data_};
  std::vector<std::string> strings_;
};

std::string complaint(const std::string& data) {
  Profile profile;
  std::string error;
  return parse_profile(data, profile, error) ? "" : error;
}

Profile parse(const std::string& data) {
  Profile profile;
  std::string error;
  EXPECT_TRUE(parse_profile(data, profile, error)) << error;
  return profile;
}

std::string rows_of(const Profile& profile, ReportOptions options = {}) {
  std::string text;
  for (const Row& row : make_report(profile, options).rows) {
    text += row.name + " " + row.file + ":" + std::to_string(row.line) + " " +
            std::to_string(row.flat) + " " + std::to_string(row.cum) + "\n";
  }
  return text;
}

TEST(Profile, IsRead) {
  Writer w;
  w.sample({1, 2}, {1, 100});
  w.unpacked_sample({2}, {2, 50});
  w.mapping(7, "/bin/program");
  w.location(1, {{1, 10}, {2, 20}}, 7);
  w.location(2, {}, 7);
  w.function(1, "f");
  w.function(2, "g");
  w.number(14, w.string("objects"));
  Profile p = parse(w.finish());
  EXPECT_EQ(p.program, "/bin/program");
  EXPECT_EQ(find_type(p, ""), 0);
  EXPECT_EQ(find_type(p, "space"), 1);
  EXPECT_EQ(find_type(p, "time"), -1);
  ReportOptions space{.type = 1};
  EXPECT_EQ(rows_of(p, space), "f a.cc:10 100 100\n[program] :0 50 150\ng a.cc:20 0 100\n");
}

TEST(Profile, LastTypeIsTheDefault) {
  Writer w;
  EXPECT_EQ(find_type(parse(w.finish()), ""), 1);
}

TEST(Profile, FaultsAreNamed) {
  EXPECT_NE(complaint(""), "");
  EXPECT_NE(complaint("heap profile: 1: 2 [3: 4] @ heap/1048576\n").find("debug=1"),
            std::string::npos);
  EXPECT_NE(complaint("\x1f\x8b rubbish"), "");
  EXPECT_NE(complaint(std::string(100, '\xff')), "");
  auto fault = [](auto write) {
    Writer w;
    write(w);
    return complaint(w.finish());
  };
  auto one_value = [](Writer& w) { w.sample({}, {1}); };
  auto no_location = [](Writer& w) { w.sample({5}, {1, 1}); };
  auto no_function = [](Writer& w) { w.location(1, {{5, 1}}); };
  auto no_mapping = [](Writer& w) { w.location(1, {}, 5); };
  auto zero = [](Writer& w) { w.location(0, {}); };
  auto no_string = [](Writer& w) { w.number(7, 1000); };
  auto negative = [](Writer& w) { w.number(7, -1); };
  auto twice = [](Writer& w) {
    w.function(1, "f");
    w.function(1, "f");
  };
  EXPECT_NE(fault(one_value), "");
  EXPECT_NE(fault(no_location), "");
  EXPECT_NE(fault(no_function), "");
  EXPECT_NE(fault(no_mapping), "");
  EXPECT_NE(fault(zero), "");
  EXPECT_NE(fault(no_string), "");
  EXPECT_NE(fault(negative), "");
  EXPECT_NE(fault(twice), "");
}

TEST(Profile, OfAnyBytesEnds) {
  Writer w;
  w.sample({1, 2}, {1, 100});
  w.mapping(1, "/bin/program");
  w.location(1, {{1, 10}, {2, 20}}, 1);
  w.location(2, {{2, 3}});
  w.function(1, "f");
  w.function(2, "g");
  std::string good = w.finish();
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string data = good;
    for (unsigned n = random() % 4; n > 0; --n) {
      data[random() % data.size()] = static_cast<char>(random());
    }
    data.resize(random() % 8 == 0 ? random() % data.size() : data.size());
    Profile p;
    std::string error;
    if (parse_profile(data, p, error)) {
      simplify_names(p);
      (void)drop_frames(p, error);
      (void)rows_of(p);
    } else {
      EXPECT_NE(error, "");
    }
  }
}

TEST(Report, CountsRecursionOnceAndSortsAsPprof) {
  Writer w;
  w.sample({1, 2, 1, 3}, {1, 10});
  w.sample({2, 3}, {1, 10});
  w.sample({3}, {1, -5});
  w.sample({}, {1, 7});
  for (uint64_t id : {1, 2, 3}) {
    w.location(id, {{id, static_cast<int64_t>(id)}});
  }
  w.function(1, "b");
  w.function(2, "a");
  w.function(3, "c");
  Profile p = parse(w.finish());
  EXPECT_EQ(rows_of(p, {.type = 1}), "a a.cc:2 10 20\nb a.cc:1 10 10\nc a.cc:3 -5 15\n");
  EXPECT_EQ(rows_of(p, {.type = 1, .by_cum = true}),
            "a a.cc:2 10 20\nc a.cc:3 -5 15\nb a.cc:1 10 10\n");
  EXPECT_EQ(make_report(p, {.type = 1}).total, 32);
}

TEST(Report, FunctionsShowTheirHeaviestLine) {
  Writer w;
  w.sample({1}, {1, 10});
  w.sample({2}, {1, 30});
  w.sample({2}, {1, 1});
  w.location(1, {{1, 5}});
  w.location(2, {{1, 6}});
  w.function(1, "f");
  Profile p = parse(w.finish());
  EXPECT_EQ(rows_of(p, {.type = 1}), "f a.cc:6 41 41\n");
  EXPECT_EQ(rows_of(p, {.type = 1, .lines = true}), "f a.cc:6 31 31\nf a.cc:5 10 10\n");
}

TEST(Report, DropsWhatTheProfileSays) {
  Writer w;
  w.sample({1, 2, 3}, {1, 10});  // malloc <- inner, outer <- main
  w.sample({1}, {1, 5});         // nothing but malloc stays
  w.sample({4, 3}, {1, 3});      // the dropped frame is inlined
  w.location(1, {{1, 1}});
  w.location(2, {{2, 2}, {3, 3}});
  w.location(3, {{4, 4}});
  w.location(4, {{1, 1}, {5, 5}});
  w.function(1, "malloc");
  w.function(2, "inner");
  w.function(3, "outer");
  w.function(4, "main");
  w.function(5, "user");
  w.number(7, w.string("malloc|x.*"));
  Profile p = parse(w.finish());
  std::string error;
  ASSERT_TRUE(drop_frames(p, error));
  EXPECT_EQ(rows_of(p, {.type = 1}),
            "inner a.cc:2 10 10\nmalloc a.cc:1 5 5\nuser a.cc:5 3 3\nmain a.cc:4 0 13\n"
            "outer a.cc:3 0 10\n");
}

TEST(Report, KeepsWhatTheProfileSays) {
  Writer w;
  w.sample({1, 2}, {1, 10});
  w.location(1, {{1, 1}});
  w.location(2, {{2, 2}});
  w.function(1, "malloc_hook");
  w.function(2, "main");
  w.number(7, w.string("malloc.*"));
  w.number(8, w.string(".*_hook"));
  Profile p = parse(w.finish());
  std::string error;
  ASSERT_TRUE(drop_frames(p, error));
  EXPECT_EQ(rows_of(p, {.type = 1}), "malloc_hook a.cc:1 10 10\nmain a.cc:2 0 10\n");
}

TEST(Report, SaysWhenThePatternIsNone) {
  Writer w;
  w.number(7, w.string("("));
  Profile p = parse(w.finish());
  std::string error;
  EXPECT_FALSE(drop_frames(p, error));
  EXPECT_NE(error, "");
}

TEST(Report, NamesAreThoseOfPprof) {
  Writer w;
  w.function(1, "_ZN2ns1fIiEEvT_");
  w.function(2, "ns::g(int)", "a.cc", "_ZN2ns1gEi");  // the writer's choice
  w.function(3, "ns::h<int>(char)");
  w.function(4, "operator<(A, B)");
  w.function(5, "main.(*T[...]).Method");
  w.function(6, "runtime.mallocgc");
  w.function(7, "std::operator>> <x>(y)");
  Profile p = parse(w.finish());
  simplify_names(p);
  const char* expected[] = {"ns::f",
                            "ns::g(int)",
                            "ns::h",
                            "operator<",
                            "main.(*T[...]).Method",
                            "runtime.mallocgc",
                            "std::operator>> <x>"};
  for (size_t i = 0; i < p.functions.size(); ++i) {
    EXPECT_EQ(p.functions[i].name, expected[i]);
  }
}

}  // namespace
}  // namespace burrow::cmd
