// What `burrow c++` reads out of its arguments.
#include "cxx_request.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace burrow::cmd {
namespace {

using Words = std::vector<std::string>;

TEST(CxxRequest, OwnOptionsAreTaken) {
  CxxRequest r = read_cxx_request({"-m=json", "--summaries=a.o", "--elide-new", "--summaries",
                                   "b.o", "-O2", "--barriers", "x.cc"});
  EXPECT_EQ(r.explain, "json");
  EXPECT_EQ(r.summaries, (Words{"a.o", "b.o"}));
  EXPECT_TRUE(r.elide_new && r.barriers && r.optimised);
  EXPECT_EQ(r.rest, (Words{"-O2", "x.cc"}));
  EXPECT_EQ(r.wrong, "");
  for (const Words& wrong :
       {Words{"-m=3"}, Words{"-m="}, Words{"--summaries="}, Words{"--summaries"}}) {
    EXPECT_NE(read_cxx_request(wrong).wrong, "") << wrong[0];
  }
  EXPECT_EQ(read_cxx_request({"-mavx2", "-m64", "-march=native"}).explain, "");
}

TEST(CxxRequest, KnowsWhatIsLinked) {
  const std::pair<Words, bool> cases[] = {
      {{"x.cc"}, true},
      {{"x.o", "-o", "x"}, true},
      {{"-x", "c++", "-"}, true},
      {{"-shared", "x.cc"}, true},
      {{"-c", "x.cc"}, false},
      {{"-r", "x.o", "-o", "y.o"}, false},
      {{"-E", "x.cc"}, false},
      {{"-fsyntax-only", "x.cc"}, false},
      {{"x.h"}, false},
      {{"-x", "c++-header", "x", "-o", "x.pch"}, false},
      {{"-xc++-header", "x"}, false},
      {{"--version"}, false},
      {{"-o", "x", "-I", "include", "-v"}, false},
      {{}, false},
  };
  for (const auto& [words, links] : cases) {
    EXPECT_EQ(read_cxx_request(words).links, links) << (words.empty() ? "" : words[0]);
  }
}

TEST(CxxRequest, KnowsInputsThatAreNotCxx) {
  EXPECT_FALSE(read_cxx_request({"-x", "c", "x.cc"}).only_cxx);
  EXPECT_FALSE(read_cxx_request({"y.cc", "-xc", "x"}).only_cxx);
  EXPECT_FALSE(read_cxx_request({"-x", "c-header", "x.h"}).only_cxx);
  EXPECT_TRUE(read_cxx_request({"x.cc", "x.o", "x.s", "x.ll"}).only_cxx);
  EXPECT_TRUE(read_cxx_request({"-x", "c++-cpp-output", "x"}).only_cxx);
  EXPECT_TRUE(read_cxx_request({"-x", "c", "-x", "none", "x.cc"}).only_cxx);
  EXPECT_TRUE(read_cxx_request({"-x", "ir", "x", "-x", "assembler-with-cpp", "y"}).only_cxx);
}

TEST(CxxRequest, TheLastOfContraryOptionsCounts) {
  EXPECT_FALSE(read_cxx_request({"-O2", "-O0"}).optimised);
  EXPECT_TRUE(read_cxx_request({"-O0", "-Og"}).optimised);
  EXPECT_FALSE(read_cxx_request({"-g", "-g0"}).debug_info);
  EXPECT_FALSE(read_cxx_request({"-flto=thin", "-fno-lto"}).lto);
  EXPECT_TRUE(read_cxx_request({"-flto=thin"}).lto);
  EXPECT_FALSE(read_cxx_request({"-o", "-static", "x.cc"}).archives_only);
}

TEST(CxxRequest, ResponseFilesAreRead) {
  EXPECT_EQ(response_words("a  'b c'\n\"d\\\"\" e\\ f ''\t"),
            (Words{"a", "b c", "d\"", "e f", ""}));
  std::filesystem::path folder = testing::TempDir();
  const std::string plain = "@" + (folder / "cxx_plain.rsp").string();
  const std::string own = "@" + (folder / "cxx_own.rsp").string();
  const std::string itself = "@" + (folder / "cxx_itself.rsp").string();
  std::ofstream(plain.substr(1)) << "-x c -flto -c";
  std::ofstream(own.substr(1)) << plain << " -m 'x y.c'";
  std::ofstream(itself.substr(1)) << itself;
  CxxRequest r = read_cxx_request({plain, "x.c"});
  EXPECT_EQ(r.rest, (Words{plain, "x.c"}));
  EXPECT_FALSE(r.only_cxx);
  EXPECT_TRUE(r.lto);
  EXPECT_FALSE(r.links);
  r = read_cxx_request({"-O2", own});
  EXPECT_EQ(r.rest, (Words{"-O2", plain, "x y.c"}));
  EXPECT_EQ(r.explain, "1");
  EXPECT_FALSE(r.only_cxx);
  EXPECT_EQ(read_cxx_request({itself}).rest, (Words{itself}));
  EXPECT_EQ(read_cxx_request({"@/no/such/file"}).rest, (Words{"@/no/such/file"}));
}

}  // namespace
}  // namespace burrow::cmd
