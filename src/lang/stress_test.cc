// Many goroutines at once: 100,000 that ping-pong at random, with random yields.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "burrow/chan.h"
#include "lang/test_strands.h"
#include "os/stack_memory.h"

namespace burrow {
namespace {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define BURROW_TEST_SANITIZED 1
#endif
#endif

/// A guard that is a mapping of its own (before Linux 6.13) takes two of vm.max_map_count's 65,530.
size_t goroutines() {
#ifdef BURROW_TEST_SANITIZED
  return 2000;
#else
  return os::guard_kind() == os::GuardKind::kInstall ? 100000 : 20000;
#endif
}

constexpr size_t kHops = 10;

/// What a caller sends over one of many channels; the answer comes back on its own.
struct Ping {
  uint64_t token = 0;
  Chan<uint64_t> reply = nullptr;
};

/// All wait at a gate until the last is there, so that they are alive at once. Then each caller
/// sends every ping over a channel drawn anew; each answerer hears its own channel and one more,
/// drawn anew, so that every channel is always heard and everybody comes to an end.
class PingPong {
 public:
  explicit PingPong(size_t pairs) : pairs_(pairs) {
    TestRandom random(7);
    for (size_t i = 0; i < kChannels; ++i) {
      pings_.emplace_back(random.below(3));
    }
  }

  void start() {
    for (size_t p = 0; p < pairs_; ++p) {
      callers_.go([this, p] { call(p); });
      answerers_.go([this, p] { answer(p); });
    }
  }

  void run() {
    gate_.close();
    callers_.wait();
    for (const Chan<Ping>& pings : pings_) {
      pings.close();
    }
    answerers_.wait();
  }

  [[nodiscard]] uint64_t rightly_answered() const { return rightly_answered_.load(); }

  [[nodiscard]] uint64_t heard() const { return heard_.load(); }

 private:
  static constexpr size_t kChannels = 64;

  static void maybe_yield(TestRandom& random) {
    if (random.below(3) == 0) {
      yield();
    }
  }

  void call(size_t p) {
    (void)gate_.recv();
    TestRandom random(2 * p + 1);
    Chan<uint64_t> reply(random.below(2));
    for (size_t hop = 0; hop < kHops; ++hop) {
      uint64_t token = random();
      pings_[random.below(kChannels)].send({token, reply});
      maybe_yield(random);
      if (reply.recv() == ~token) {
        rightly_answered_.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }

  void answer(size_t p) {
    (void)gate_.recv();
    TestRandom random(2 * p + 2);
    for (bool open = true; open;) {
      auto on_ping = [&](std::optional<Ping> ping) {
        open = ping.has_value();
        if (open) {
          heard_.fetch_add(1, std::memory_order_relaxed);
          maybe_yield(random);
          ping->reply.send(~ping->token);
        }
      };
      select(on_recv(pings_[p % kChannels], on_ping),
             on_recv(pings_[random.below(kChannels)], on_ping));
      maybe_yield(random);
    }
  }

  size_t pairs_;
  Chan<bool> gate_;
  std::vector<Chan<Ping>> pings_;
  WaitGroup callers_;
  WaitGroup answerers_;
  std::atomic<uint64_t> rightly_answered_{0};
  std::atomic<uint64_t> heard_{0};
};

TEST(Stress, ManyGoroutinesPingPongAtRandom) {
  const size_t pairs = goroutines() / 2;
  PingPong party(pairs);
  party.start();
  EXPECT_GE(num_goroutine(), 2 * pairs);
  party.run();
  EXPECT_EQ(party.rightly_answered(), pairs * kHops);
  EXPECT_EQ(party.heard(), pairs * kHops);
}

/// Goroutines and threads fight for one small channel, one mutex and one condition at once.
TEST(Stress, ThreadsAmongGoroutines) {
  constexpr int kEach = 3000;
  Chan<int> chan(1);
  Mutex mutex;
  int64_t sum = 0;
  std::atomic<int> left{6};
  {
    Strands strands(StrandKind::kMixed);
    for (int s = 0; s < 6; ++s) {
      strands.start([&] {
        for (int i = 0; i < kEach; ++i) {
          chan.send(1);
        }
        if (left.fetch_sub(1) == 1) {
          chan.close();
        }
      });
      strands.start([&] {
        for (int n : chan) {
          std::lock_guard<Mutex> guard(mutex);
          sum += n;
        }
      });
    }
  }
  EXPECT_EQ(sum, 6 * kEach);
}

}  // namespace
}  // namespace burrow
