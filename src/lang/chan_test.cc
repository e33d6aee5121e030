// What Chan promises, by goroutines, by threads, and between the two.
#include "burrow/chan.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "lang/test_strands.h"

namespace burrow {
namespace {

class ChanTest : public ::testing::TestWithParam<StrandKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, ChanTest,
                         ::testing::Values(StrandKind::kGoroutines, StrandKind::kThreads,
                                           StrandKind::kMixed),
                         [](const auto& one) { return strand_kind_name(one.param); });

TEST_P(ChanTest, HandsOverUnbufferedInOrder) {
  Chan<int> numbers;
  Strands strands(GetParam());
  strands.start([numbers] {
    for (int i = 0; i < 1000; ++i) {
      numbers.send(i);
    }
    numbers.close();
  });
  strands.start([numbers] {
    int expected = 0;
    for (int n : numbers) {
      ASSERT_EQ(n, expected++);
    }
    EXPECT_EQ(expected, 1000);
  });
}

TEST_P(ChanTest, SendWaitsForItsReceiver) {
  Chan<int> chan;
  std::atomic<bool> received{false};
  Strands strands(GetParam());
  strands.start([&] {
    chan.send(1);
    EXPECT_TRUE(received.load());
  });
  strands.start([&] {
    for (int i = 0; i < 100; ++i) {
      yield();
    }
    received.store(true);
    EXPECT_EQ(chan.recv(), 1);
  });
}

TEST_P(ChanTest, BufferHoldsUpToItsCapacity) {
  Chan<std::string> chan(2);
  EXPECT_EQ(chan.capacity(), 2U);
  EXPECT_TRUE(chan.try_send("one"));
  chan.send("two");
  std::string third = "three";
  EXPECT_FALSE(chan.try_send(std::move(third)));
  EXPECT_EQ(third, "three");  // NOLINT(bugprone-use-after-move): kept when refused
  EXPECT_EQ(chan.size(), 2U);
  Strands strands(GetParam());
  strands.start([&] {
    chan.send(std::move(third));
    chan.close();
  });
  strands.start([&] {
    EXPECT_EQ(chan.recv(), "one");
    EXPECT_EQ(chan.recv(), "two");
    EXPECT_EQ(chan.recv(), "three");
    EXPECT_EQ(chan.recv(), std::nullopt);
    EXPECT_EQ(chan.recv(), std::nullopt);
  });
}

TEST_P(ChanTest, CloseLetsAllReceiversGo) {
  Chan<int> chan;
  std::atomic<int> gone{0};
  {
    Strands strands(GetParam());
    for (int i = 0; i < 8; ++i) {
      strands.start([&] {
        EXPECT_EQ(chan.recv(), std::nullopt);
        gone.fetch_add(1);
      });
    }
    for (int i = 0; i < 20; ++i) {
      yield();
    }
    chan.close();
  }
  EXPECT_EQ(gone.load(), 8);
}

TEST_P(ChanTest, ManyToManyLosesAndDoublesNothing) {
  for (size_t capacity : {0, 1, 7, 1000}) {
    constexpr int kSenders = 4;
    constexpr int kEach = 2000;
    Chan<int> chan(capacity);
    std::vector<std::atomic<int>> seen(static_cast<size_t>(kSenders * kEach));
    std::atomic<int> left{kSenders};
    Strands strands(GetParam());
    for (int s = 0; s < kSenders; ++s) {
      strands.start([&, s] {
        for (int i = 0; i < kEach; ++i) {
          chan.send(s * kEach + i);
        }
        if (left.fetch_sub(1) == 1) {
          chan.close();
        }
      });
      strands.start([&] {
        std::array<int, kSenders> last;
        last.fill(-1);
        for (int n : chan) {
          seen[static_cast<size_t>(n)].fetch_add(1);
          int& before = last[static_cast<size_t>(n / kEach)];
          EXPECT_LT(before, n % kEach);
          before = n % kEach;
        }
      });
    }
    strands.join();
    for (const std::atomic<int>& count : seen) {
      ASSERT_EQ(count.load(), 1);
    }
  }
}

TEST_P(ChanTest, MovesOnlyWhatCannotBeCopied) {
  for (size_t capacity : {0, 3}) {
    Chan<std::unique_ptr<int>> chan(capacity);
    Strands strands(GetParam());
    strands.start([&, chan] {
      for (int i = 0; i < 100; ++i) {
        chan.send(std::make_unique<int>(i));
      }
      chan.close();
    });
    strands.start([&, chan] {
      int expected = 0;
      for (std::unique_ptr<int>& n : chan) {
        ASSERT_EQ(*n, expected++);
      }
      EXPECT_EQ(expected, 100);
    });
  }
}

struct alignas(128) Big {
  std::array<uint64_t, 512> words;

  explicit Big(uint64_t first) { std::iota(words.begin(), words.end(), first); }
};

TEST_P(ChanTest, PassesBigAndAlignedElements) {
  for (size_t capacity : {0, 2}) {
    Chan<Big> chan(capacity);
    Strands strands(GetParam());
    strands.start([chan] {
      for (uint64_t i = 0; i < 50; ++i) {
        chan.send(Big(i));
      }
      chan.close();
    });
    strands.start([chan] {
      uint64_t expected = 0;
      for (const Big& big : chan) {
        ASSERT_EQ(reinterpret_cast<uintptr_t>(&big) % alignof(Big), 0U);
        ASSERT_EQ(big.words, Big(expected).words);
        ++expected;
      }
      EXPECT_EQ(expected, 50U);
    });
  }
}

/// Counts its living objects, and how many of them hold a value.
struct Counted {
  static inline std::atomic<int> s_objects{0};
  static inline std::atomic<int> s_values{0};
  bool full = true;

  Counted() {
    s_objects.fetch_add(1);
    s_values.fetch_add(1);
  }

  Counted(Counted&& other) noexcept : full(std::exchange(other.full, false)) {
    s_objects.fetch_add(1);
  }

  Counted& operator=(Counted&&) = delete;

  ~Counted() {
    s_objects.fetch_sub(1);
    s_values.fetch_sub(full ? 1 : 0);
    full = false;
  }
};

TEST_P(ChanTest, DestroysEachElementOnce) {
  for (size_t capacity : {0, 1, 5}) {
    {
      Chan<Counted> chan(capacity);
      Strands strands(GetParam());
      strands.start([chan] {
        for (int i = 0; i < 100; ++i) {
          chan.send(Counted());
        }
        chan.close();
      });
      strands.start([chan] {
        int received = 0;
        while (std::optional<Counted> one = chan.recv()) {
          EXPECT_TRUE(one->full);
          ++received;
        }
        EXPECT_EQ(received, 100);
      });
    }
    EXPECT_EQ(Counted::s_objects.load(), 0);
    EXPECT_EQ(Counted::s_values.load(), 0);
  }
}

TEST(Chan, DestroysWhatNobodyReceived) {
  {
    Chan<Counted> chan(4);
    for (int i = 0; i < 3; ++i) {
      chan.send(Counted());
      EXPECT_TRUE(chan.recv().has_value());
    }
    for (int i = 0; i < 4; ++i) {
      chan.send(Counted());
    }
    EXPECT_FALSE(chan.try_send(Counted()));
    Chan<Counted> copy = chan;
    chan.close();
    chan = nullptr;
    EXPECT_TRUE(copy.recv()->full);
    EXPECT_EQ(Counted::s_values.load(), 3);
  }
  EXPECT_EQ(Counted::s_objects.load(), 0);
  EXPECT_EQ(Counted::s_values.load(), 0);
}

TEST(Chan, IsAReference) {
  Chan<int> a(1);
  Chan<int> b = a;
  Chan<int> c(1);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  b.send(5);
  EXPECT_EQ(a.recv(), 5);
  c = std::move(b);
  EXPECT_EQ(a, c);
  EXPECT_FALSE(b);  // NOLINT(bugprone-use-after-move): nil
  EXPECT_TRUE(c);
}

TEST(Chan, NilIsNeverReady) {
  Chan<int> nil = nullptr;
  EXPECT_FALSE(nil);
  EXPECT_FALSE(nil.try_send(1));
  EXPECT_EQ(nil.try_recv(), std::nullopt);
  EXPECT_EQ(nil.size(), 0U);
  EXPECT_EQ(nil.capacity(), 0U);
}

TEST(Chan, TryNeedsTheOtherSideToWait) {
  Chan<int> chan;
  EXPECT_FALSE(chan.try_send(1));
  EXPECT_EQ(chan.try_recv(), std::nullopt);
  Strands strands(StrandKind::kMixed);
  strands.start([&] { EXPECT_EQ(chan.recv(), 2); });
  while (!chan.try_send(2)) {
    yield();
  }
  strands.join();
  strands.start([&] { chan.send(3); });
  std::optional<int> got;
  while (!(got = chan.try_recv())) {
    yield();
  }
  EXPECT_EQ(got, 3);
}

TEST(Chan, OfTypesWithoutDefaultOrAssignment) {
  struct Odd {
    const int value;

    explicit Odd(int v) : value(v) {}
  };

  Chan<Odd> chan(2);
  chan.send(Odd(1));
  chan.send(Odd(2));
  chan.close();
  int sum = 0;
  for (const Odd& odd : chan) {
    sum += odd.value;
  }
  EXPECT_EQ(sum, 3);
}

// Who has received may destroy the channel while the sender is still on its way out of send.
TEST_P(ChanTest, MayBeDestroyedByTheReceiver) {
  for (int turn = 0; turn < 500; ++turn) {
    auto* chan = new Chan<int>(static_cast<size_t>(turn % 2));
    Strands strands(GetParam());
    strands.start([chan] { chan->send(7); });
    strands.start([chan] {
      EXPECT_EQ(chan->recv(), 7);
      delete chan;
    });
  }
}

}  // namespace
}  // namespace burrow
