// Many goroutines at once: 100,000 that pass tokens at random, with random yields.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "burrow/chan.h"
#include "lang/test_strands.h"

namespace burrow {
namespace {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define BURROW_TEST_SANITIZED 1
#endif
#endif

#ifdef BURROW_TEST_SANITIZED
constexpr size_t kGoroutines = 2000;
#else
constexpr size_t kGoroutines = 100000;
#endif
constexpr size_t kHops = 10;

/// Pairs ping-pong over two of many shared channels, yielding now and then. Each channel has as
/// many senders as receivers in the end, so everybody finishes.
TEST(Stress, ManyGoroutinesPingPongAtRandom) {
  constexpr size_t kPairs = kGoroutines / 2;
  // Pairs of neighbours share a pair of channels: any ping may be answered by any pong there.
  constexpr size_t kSharing = 8;
  std::vector<Chan<uint64_t>> pings;
  std::vector<Chan<uint64_t>> pongs;
  TestRandom setup(7);
  for (size_t i = 0; i < kPairs / kSharing + 1; ++i) {
    pings.emplace_back(setup.below(3));
    pongs.emplace_back(setup.below(3));
  }
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> received{0};
  WaitGroup group;
  for (size_t p = 0; p < kPairs; ++p) {
    const Chan<uint64_t>& ping = pings[p / kSharing];
    const Chan<uint64_t>& pong = pongs[p / kSharing];
    group.go([&, p] {
      TestRandom random(2 * p + 1);
      for (size_t hop = 0; hop < kHops; ++hop) {
        uint64_t token = random();
        sent.fetch_add(token, std::memory_order_relaxed);
        ping.send(token);
        if (random.below(3) == 0) {
          yield();
        }
        received.fetch_add(*pong.recv(), std::memory_order_relaxed);
      }
    });
    group.go([&, p] {
      TestRandom random(2 * p + 2);
      for (size_t hop = 0; hop < kHops; ++hop) {
        std::optional<uint64_t> token;
        if (random.below(2) == 0) {
          token = ping.recv();
        } else {
          Chan<uint64_t> nil = nullptr;
          select(on_recv(nil, [](auto) {}), on_recv(ping, [&](auto got) { token = got; }));
        }
        if (random.below(3) == 0) {
          yield();
        }
        pong.send(*token);
      }
    });
  }
  group.wait();
  EXPECT_EQ(sent.load(), received.load());
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
