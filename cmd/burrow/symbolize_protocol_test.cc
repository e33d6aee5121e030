// The lines of `burrow symbolize`.
#include <gtest/gtest.h>

#include "symbolize.h"

namespace burrow::cmd {
namespace {

TEST(Questions, AreRead) {
  std::vector<Question> questions =
      parse_questions("M /a b\nB 00ff\nA 10\nA ffffffffffffffff\nM /c\nA 0\n");
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].path, "/a b");
  EXPECT_EQ(questions[0].build_id, "00ff");
  EXPECT_EQ(questions[0].addresses, (std::vector<uint64_t>{16, UINT64_MAX}));
  EXPECT_EQ(questions[1].path, "/c");
  EXPECT_EQ(questions[1].build_id, "");
  EXPECT_EQ(questions[1].addresses, (std::vector<uint64_t>{0}));
}

TEST(Questions, KeepStepWithAnswers) {
  EXPECT_TRUE(parse_questions("").empty());
  EXPECT_TRUE(parse_questions("B 00\nx\n\nM").empty());
  std::vector<Question> questions = parse_questions("A zz\nA \nA 12345678901234567890\nA 7");
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].addresses.size(), 4u);
  EXPECT_EQ(questions[0].addresses[3], 7u);
}

TEST(Answers, AreWhole) {
  EXPECT_EQ(whole_answers("", 0), "");
  EXPECT_EQ(whole_answers("", 2), ".\n.\n");
  EXPECT_EQ(whole_answers("F f\ta\t1\tf\n.\n.\n", 2), "F f\ta\t1\tf\n.\n.\n");
  EXPECT_EQ(whole_answers("F f\ta\t1\tf\n.\nF g\t", 2), "F f\ta\t1\tf\n.\n.\n");
  EXPECT_EQ(whole_answers("F f\ta\t1\tf\n.", 1), ".\n");
  EXPECT_EQ(whole_answers(".\n.\n.\n", 2), ".\n.\n");
}

}  // namespace
}  // namespace burrow::cmd
