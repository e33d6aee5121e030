// Channels under real concurrency: what was sent and received, and when, must be what a queue under
// a mutex could have done. Each operation takes a ticket before and after; of two values where one
// was sent wholly before the other, the other is not received wholly before the one.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <vector>

#include "burrow/chan.h"
#include "lang/test_strands.h"

namespace burrow {
namespace {

using namespace std::chrono_literals;

struct Span {
  uint64_t before = 0;
  uint64_t after = 0;
};

struct Event {
  size_t chan;
  int value;
  Span span;
};

constexpr int kSenders = 3;
constexpr int kReceivers = 3;
constexpr int kEach = 12;

class History {
 public:
  History(StrandKind kind, uint64_t seed)
      : kind_(kind), seed_(seed), chans_{Chan<int>(seed % 4), Chan<int>(seed / 4 % 3)} {}

  void go() {
    {
      Strands receivers(kind_);
      for (int r = 0; r < kReceivers; ++r) {
        receivers.start([this, r] { receive(r); });
      }
      {
        Strands senders(kind_);
        for (int s = 0; s < kSenders; ++s) {
          senders.start([this, s] { send(s); });
        }
      }
      chans_[0].close();
      chans_[1].close();
    }
    check();
  }

 private:
  uint64_t ticket() { return tickets_.fetch_add(1); }

  void send(int s) {
    TestRandom random(seed_ * 64 + static_cast<uint64_t>(s));
    for (int i = 0; i < kEach; ++i) {
      int value = s * kEach + i;
      size_t chan = random.below(2);
      Span span{ticket()};
      switch (random.below(4)) {
        case 0:
          chans_[chan].send(value);
          break;
        case 1:
          while (!chans_[chan].try_send(value)) {
            yield();
          }
          break;
        case 2:
          chan = select(on_send(chans_[0], value, [] {}), on_send(chans_[1], value, [] {}));
          break;
        default:
          while (select(on_send(chans_[chan], value, [] {}), after(10us, [] {})) == 1) {
          }
      }
      span.after = ticket();
      sent_[s].push_back({chan, value, span});
      if (random.below(4) == 0) {
        yield();
      }
    }
  }

  void receive(int r) {
    TestRandom random(seed_ * 64 + 32 + static_cast<uint64_t>(r));
    Chan<int> open[2] = {chans_[0], chans_[1]};
    while (open[0] || open[1]) {
      Span span{ticket()};
      std::optional<int> value;
      size_t chan = 2;
      auto take = [&](size_t c) {
        return [&, c](std::optional<int> got) {
          value = got;
          chan = c;
        };
      };
      if (random.below(3) == 0) {
        select(on_recv(open[0], take(0)), on_recv(open[1], take(1)), otherwise([] { yield(); }));
      } else {
        select(on_recv(open[0], take(0)), on_recv(open[1], take(1)));
      }
      span.after = ticket();
      if (value) {
        received_[r].push_back({chan, *value, span});
      } else if (chan < 2) {
        open[chan] = nullptr;
      }
    }
  }

  void check() {
    std::map<int, Event> sent;
    std::vector<std::pair<Event, Event>> passed;
    for (const std::vector<Event>& events : sent_) {
      for (const Event& event : events) {
        sent.emplace(event.value, event);
      }
    }
    ASSERT_EQ(sent.size(), size_t{kSenders * kEach});
    for (const std::vector<Event>& events : received_) {
      for (const Event& event : events) {
        auto it = sent.find(event.value);
        ASSERT_NE(it, sent.end()) << "received twice, or never sent: " << event.value;
        ASSERT_EQ(it->second.chan, event.chan);
        passed.emplace_back(it->second, event);
        sent.erase(it);
      }
    }
    ASSERT_TRUE(sent.empty()) << sent.begin()->first << " was lost";
    for (const auto& [sent_a, received_a] : passed) {
      ASSERT_LT(sent_a.span.before, received_a.span.after);
      for (const auto& [sent_b, received_b] : passed) {
        if (sent_a.chan == sent_b.chan && sent_a.span.after < sent_b.span.before) {
          ASSERT_FALSE(received_b.span.after < received_a.span.before)
              << sent_a.value << " was overtaken by " << sent_b.value;
        }
      }
    }
  }

  StrandKind kind_;
  uint64_t seed_;
  Chan<int> chans_[2];
  std::atomic<uint64_t> tickets_{0};
  std::vector<Event> sent_[kSenders];
  std::vector<Event> received_[kReceivers];
};

class ChanHistoryTest : public ::testing::TestWithParam<StrandKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, ChanHistoryTest,
                         ::testing::Values(StrandKind::kGoroutines, StrandKind::kThreads,
                                           StrandKind::kMixed),
                         [](const auto& one) { return strand_kind_name(one.param); });

TEST_P(ChanHistoryTest, IsOneOfAQueue) {
  int seeds = GetParam() == StrandKind::kGoroutines ? 2000 : 400;
  for (int seed = 1; seed <= seeds && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    History(GetParam(), static_cast<uint64_t>(seed)).go();
  }
}

}  // namespace
}  // namespace burrow
