// What select promises.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "burrow/chan.h"
#include "lang/test_strands.h"

namespace burrow {
namespace {

using namespace std::chrono_literals;

class SelectTest : public ::testing::TestWithParam<StrandKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, SelectTest,
                         ::testing::Values(StrandKind::kGoroutines, StrandKind::kThreads,
                                           StrandKind::kMixed),
                         [](const auto& one) { return strand_kind_name(one.param); });

void fail_case() {
  ADD_FAILURE() << "this case cannot be ready";
}

template <class T>
void fail_recv(const std::optional<T>& /*value*/) {
  fail_case();
}

TEST(Select, TakesTheOneThatIsReady) {
  Chan<int> numbers(1);
  Chan<std::string> words(1);
  words.send("word");
  size_t chosen =
      select(on_recv(numbers, fail_recv<int>),
             on_recv(words, [](const std::optional<std::string>& w) { EXPECT_EQ(w, "word"); }),
             otherwise(fail_case));
  EXPECT_EQ(chosen, 1U);
  chosen = select(on_send(numbers, 5, [] {}), on_recv(words, fail_recv<std::string>));
  EXPECT_EQ(chosen, 0U);
  EXPECT_EQ(numbers.recv(), 5);
}

TEST(Select, ReturnsWhatTheHandlerReturns) {
  Chan<int> chan(1);
  auto once = [&] {
    return select(on_recv(chan, [](std::optional<int> n) { return std::to_string(*n); }),
                  otherwise([] { return std::string("none"); }));
  };
  EXPECT_EQ(once(), "none");
  chan.send(42);
  EXPECT_EQ(once(), "42");
}

TEST(Select, OtherwiseAndTimeoutComeLast) {
  Chan<int> chan;
  bool done = false;
  EXPECT_EQ(select(on_recv(chan, fail_recv<int>), otherwise([&] { done = true; })), 1U);
  EXPECT_TRUE(done);
  EXPECT_EQ(select(on_send(chan, 1, fail_case), after(1ms, [] {})), 1U);
  EXPECT_EQ(select(after(1h, fail_case), after(1us, [] {}), on_recv(chan, fail_recv<int>)), 1U);
  EXPECT_EQ(select(after(-1s, [] {})), 0U);
  EXPECT_EQ(select(after(std::chrono::seconds::max(), fail_case), after(1us, [] {})), 1U);
  EXPECT_EQ(select(after(std::chrono::hours(24) * 365 * 300, fail_case), after(1us, [] {})), 1U);
  Chan<int> ready(1);
  ready.send(1);
  EXPECT_EQ(select(after(0s, fail_case), on_recv(ready, [](auto) {})), 1U);
}

TEST(Select, ClosedIsReadyAndNilIsNot) {
  Chan<int> closed(1);
  closed.send(1);
  closed.close();
  Chan<int> nil = nullptr;
  for (std::optional<int> expected : {std::optional<int>(1), std::optional<int>()}) {
    select(on_recv(nil, fail_recv<int>),
           on_recv(closed, [&](std::optional<int> n) { EXPECT_EQ(n, expected); }),
           on_send(nil, 3, fail_case));
  }
}

TEST(Select, KeepsTheValueOfACaseNotChosen) {
  Chan<std::unique_ptr<int>> full;
  auto value = std::make_unique<int>(3);
  auto sending = on_send(full, std::move(value), fail_case);
  select(sending, otherwise([] {}));
  ASSERT_NE(sending.value, nullptr);
  EXPECT_EQ(*sending.value, 3);
}

TEST(Select, HandlersMayUseTheSameChannelAndThrow) {
  Chan<int> chan(2);
  chan.send(1);
  EXPECT_THROW(select(on_recv(chan,
                              [&](std::optional<int> n) {
                                chan.send(*n + 1);
                                throw std::runtime_error("from the handler");
                              })),
               std::runtime_error);
  EXPECT_EQ(chan.recv(), 2);
}

TEST_P(SelectTest, OneChannelInSeveralCases) {
  Chan<int> chan;
  Strands strands(GetParam());
  constexpr int kRounds = 500;
  int sum = 0;
  strands.start([&] {
    for (int i = 0; i < kRounds; ++i) {
      auto take = [&](std::optional<int> n) { sum += *n; };
      select(on_recv(chan, take), on_recv(chan, take), on_recv(chan, take));
    }
  });
  strands.start([&] {
    for (int i = 0; i < kRounds; ++i) {
      select(on_send(chan, 1, [] {}), on_send(chan, 1, [] {}));
    }
  });
  strands.join();
  EXPECT_EQ(sum, kRounds);
}

// Two that would both send or receive meet each other, never themselves.
TEST_P(SelectTest, SendOrReceiveOnTheSameChannel) {
  Chan<int> chan;
  std::atomic<int> sent{0};
  std::atomic<int> received{0};
  Strands strands(GetParam());
  for (int s = 0; s < 2; ++s) {
    strands.start([&, s] {
      for (int i = 0; i < 1000; ++i) {
        select(on_send(chan, s, [&] { sent.fetch_add(1); }),
               on_recv(chan, [&](std::optional<int> from) {
                 EXPECT_EQ(from, 1 - s);
                 received.fetch_add(1);
               }));
      }
    });
  }
  strands.join();
  EXPECT_EQ(sent.load(), 1000);
  EXPECT_EQ(received.load(), 1000);
}

// Selects over the same channels in opposite orders: locks are taken by address, so no deadlock.
TEST_P(SelectTest, CrossedChannelsDoNotDeadlock) {
  Chan<int> a;
  Chan<int> b;
  constexpr int kRounds = 2000;
  Strands strands(GetParam());
  auto count = std::make_shared<std::atomic<int>>(0);
  for (int s = 0; s < 2; ++s) {
    strands.start([=] {
      for (int i = 0; i < kRounds; ++i) {
        select(on_send(s == 0 ? a : b, i, [] {}), on_send(s == 0 ? b : a, i, [] {}));
      }
    });
    strands.start([=] {
      for (int i = 0; i < kRounds; ++i) {
        auto take = [&](std::optional<int> /*n*/) { count->fetch_add(1); };
        select(on_recv(s == 0 ? b : a, take), on_recv(s == 0 ? a : b, take));
      }
    });
  }
  strands.join();
  EXPECT_EQ(count->load(), 2 * kRounds);
}

TEST_P(SelectTest, TimeoutsRaceWithValues) {
  Chan<int> chan;
  Chan<int> stop;
  int received = 0;
  int sent = 0;
  Strands strands(GetParam());
  strands.start([&] {
    bool running = true;
    while (running) {
      select(on_recv(chan, [&](std::optional<int> n) { received += *n; }),
             on_recv(stop, [&](auto) { running = false; }), after(20us, [] {}));
    }
  });
  strands.start([&] {
    for (int i = 0; i < 500; ++i) {
      select(on_send(chan, 1, [&] { ++sent; }), after(std::chrono::microseconds(i % 40), [] {}));
    }
    stop.close();
  });
  strands.join();
  EXPECT_EQ(sent, received);
}

// Each of n ready cases is chosen with probability 1/n: the chi-square statistic of 7 degrees of
// freedom stays below 40.5 with probability 1 - 1e-6.
TEST(Select, ChoosesFairly) {
  constexpr int kRounds = 40000;
  constexpr size_t kCases = 8;
  std::array<Chan<int>, kCases> chans{Chan<int>(1), Chan<int>(1), Chan<int>(1), Chan<int>(1),
                                      Chan<int>(1), Chan<int>(1), Chan<int>(1), Chan<int>(1)};
  std::array<int, kCases> chosen{};
  for (const Chan<int>& chan : chans) {
    chan.send(0);
  }
  auto none = [](std::optional<int>) {};
  for (int i = 0; i < kRounds; ++i) {
    size_t index = select(on_recv(chans[0], none), on_recv(chans[1], none), on_recv(chans[2], none),
                          on_recv(chans[3], none), on_recv(chans[4], none), on_recv(chans[5], none),
                          on_recv(chans[6], none), on_recv(chans[7], none));
    ++chosen[index];
    chans[index].send(0);
  }
  double expected = static_cast<double>(kRounds) / kCases;
  double chi_square = 0;
  for (int count : chosen) {
    chi_square += (count - expected) * (count - expected) / expected;
  }
  EXPECT_LT(chi_square, 40.5);
}

// The same among two of three: what is not ready gives its share to both equally.
TEST(Select, ChoosesFairlyBesideOneThatIsNotReady) {
  constexpr int kRounds = 40000;
  Chan<int> first(1);
  Chan<int> never;
  Chan<int> last(1);
  first.send(0);
  last.send(0);
  int firsts = 0;
  auto none = [](std::optional<int>) {};
  for (int i = 0; i < kRounds; ++i) {
    size_t index = select(on_recv(first, none), on_recv(never, none), on_recv(last, none));
    firsts += index == 0 ? 1 : 0;
    (index == 0 ? first : last).send(0);
  }
  // Five standard deviations: 500.
  EXPECT_NEAR(firsts, kRounds / 2, 500);
}

}  // namespace
}  // namespace burrow
