// Channels and select against a model: queues and lists that one thread changes. Puppets carry out
// one random command after the other; before the next one the test waits until each has either
// finished or stands in the queues where the model has it, so the model tells exactly what must
// happen (but for select's choice among several ready cases, where it takes what was chosen).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "burrow/chan.h"
#include "lang/chan.h"
#include "lang/test_strands.h"

namespace burrow {

/// Looks into a channel's queues.
struct ChanTestPeer {
  static size_t waiting(internal::ChanCore& core) {
    core.lock.lock();
    size_t count = 0;
    for (lang::WaitQueue* queue : {&core.senders, &core.receivers}) {
      for (lang::WaitNode* node = queue->first(); node != nullptr; node = node->next) {
        ++count;
      }
    }
    core.lock.unlock();
    return count;
  }
};

namespace {

constexpr size_t kChannels = 3;
constexpr size_t kPuppets = 5;

struct Step {
  size_t chan = 0;
  bool send = false;
  int value = 0;
};

/// One case is a plain send or receive, more are a select.
struct Command {
  std::vector<Step> steps;
  bool otherwise = false;
  bool quit = false;
};

struct Outcome {
  size_t index = 0;
  std::optional<int> received;

  bool operator==(const Outcome&) const = default;
};

constexpr size_t kOtherwise = 100;

/// What should happen.
class Model {
 public:
  struct Waiting {
    size_t puppet;
    size_t index;
    int value;
  };

  struct Channel {
    size_t capacity = 0;
    bool closed = false;
    std::deque<int> buffer;
    std::deque<Waiting> senders;
    std::deque<Waiting> receivers;
  };

  Channel channels[kChannels];
  /// Per puppet: what its pending command must come to, once it must.
  std::optional<Outcome> expected[kPuppets];
  bool blocked[kPuppets] = {};

  [[nodiscard]] bool ready(const Step& step) const {
    const Channel& c = channels[step.chan];
    return step.send ? !c.receivers.empty() || c.buffer.size() < c.capacity
                     : !c.buffer.empty() || !c.senders.empty() || c.closed;
  }

  /// Carries out a ready step of a puppet.
  Outcome apply(const Step& step, size_t index) {
    Channel& c = channels[step.chan];
    if (step.send) {
      if (!c.receivers.empty()) {
        Waiting receiver = c.receivers.front();
        wake(receiver, step.value);
      } else {
        c.buffer.push_back(step.value);
      }
      return {index, std::nullopt};
    }
    std::optional<int> value;
    if (!c.buffer.empty()) {
      value = c.buffer.front();
      c.buffer.pop_front();
      if (!c.senders.empty()) {
        Waiting sender = c.senders.front();
        c.buffer.push_back(sender.value);
        wake(sender, std::nullopt);
      }
    } else if (!c.senders.empty()) {
      Waiting sender = c.senders.front();
      value = sender.value;
      wake(sender, std::nullopt);
    }
    return {index, value};
  }

  void block(size_t puppet, const Command& command) {
    blocked[puppet] = true;
    for (size_t i = 0; i < command.steps.size(); ++i) {
      const Step& step = command.steps[i];
      Channel& c = channels[step.chan];
      (step.send ? c.senders : c.receivers).push_back({puppet, i, step.value});
    }
  }

  void close(size_t chan) {
    channels[chan].closed = true;
    while (!channels[chan].receivers.empty()) {
      wake(channels[chan].receivers.front(), std::nullopt);
    }
  }

  [[nodiscard]] size_t waiting(size_t chan) const {
    return channels[chan].senders.size() + channels[chan].receivers.size();
  }

 private:
  void wake(Waiting who, std::optional<int> received) {
    expected[who.puppet] = Outcome{who.index, received};
    blocked[who.puppet] = false;
    for (Channel& c : channels) {
      std::erase_if(c.senders, [&](const Waiting& w) { return w.puppet == who.puppet; });
      std::erase_if(c.receivers, [&](const Waiting& w) { return w.puppet == who.puppet; });
    }
  }
};

/// Where an idle puppet waits for its next command, without channels.
class Mailbox {
 public:
  void put() {
    lock_.lock();
    full_ = true;
    sched::Waiter* waiter = std::exchange(waiter_, nullptr);
    lock_.unlock();
    if (waiter != nullptr) {
      waiter->wake();
    }
  }

  void take() {
    lock_.lock();
    if (!full_) {
      sched::Waiter self;
      waiter_ = &self;
      self.wait(sched::WaitReason::kCond, &unlock, this);
      lock_.lock();
    }
    full_ = false;
    lock_.unlock();
  }

 private:
  static bool unlock(void* self) {
    static_cast<Mailbox*>(self)->lock_.unlock();
    return true;
  }

  lang::QueueLock lock_;
  bool full_ = false;
  sched::Waiter* waiter_ = nullptr;
};

/// Carries out commands on the real channels.
class Puppet {
 public:
  explicit Puppet(const std::vector<Chan<int>>& chans) : chans_(chans) {}

  void order(const Command& command) {
    command_ = command;
    mailbox_.put();
  }

  /// The outcome when it is there; call once.
  std::optional<Outcome> poll() {
    if (!done_.load(std::memory_order_acquire)) {
      return std::nullopt;
    }
    done_.store(false, std::memory_order_relaxed);
    return outcome_;
  }

  void run() {
    for (;;) {
      mailbox_.take();
      if (command_.quit) {
        return;
      }
      outcome_ = carry_out();
      done_.store(true, std::memory_order_release);
    }
  }

 private:
  Outcome carry_out() {
    Outcome outcome;
    if (command_.steps.size() == 1 && !command_.otherwise) {
      const Step& step = command_.steps[0];
      if (step.send) {
        chans_[step.chan].send(step.value);
      } else {
        outcome.received = chans_[step.chan].recv();
      }
      return outcome;
    }
    // The public select has its cases at compile time: this is what it comes to.
    std::vector<internal::SelectCase> cases(command_.steps.size());
    std::vector<int> values(command_.steps.size());
    for (size_t i = 0; i < cases.size(); ++i) {
      const Step& step = command_.steps[i];
      values[i] = step.value;
      cases[i].chan = chans_[step.chan].core();
      cases[i].element = &values[i];
      cases[i].is_send = step.send;
    }
    size_t chosen = internal::select_cases(cases.data(), cases.size(), command_.otherwise,
                                           internal::kNoTimeout);
    if (chosen == internal::kSelectOtherwise) {
      outcome.index = kOtherwise;
    } else {
      outcome.index = chosen;
      if (!cases[chosen].is_send && cases[chosen].ok) {
        outcome.received = values[chosen];
      }
    }
    return outcome;
  }

  const std::vector<Chan<int>>& chans_;
  Command command_;
  Outcome outcome_;
  std::atomic<bool> done_{false};
  Mailbox mailbox_;
};

/// One random run.
class Play {
 public:
  Play(StrandKind kind, uint64_t seed) : random_(seed), strands_(kind) {
    for (size_t c = 0; c < kChannels; ++c) {
      model_.channels[c].capacity = random_.below(3);
      chans_.emplace_back(model_.channels[c].capacity);
    }
    for (size_t p = 0; p < kPuppets; ++p) {
      puppets_.push_back(std::make_unique<Puppet>(chans_));
      strands_.start([puppet = puppets_.back().get()] { puppet->run(); });
    }
  }

  void run(int commands) {
    for (int i = 0; i < commands && !::testing::Test::HasFailure(); ++i) {
      size_t puppet = random_.below(kPuppets);
      if (!model_.blocked[puppet]) {
        Command command = make_command();
        if (!command.steps.empty()) {
          give(puppet, command);
        }
      }
    }
    finish();
  }

 private:
  Command make_command() {
    Command command;
    size_t count = random_.below(3) == 0 ? 1 + random_.below(4) : 1;
    for (size_t i = 0; i < count; ++i) {
      Step step{random_.below(kChannels), random_.below(2) == 0, next_value_};
      if (!step.send || !model_.channels[step.chan].closed) {
        command.steps.push_back(step);
        ++next_value_;
      }
    }
    command.otherwise = random_.below(4) == 0;
    return command;
  }

  void give(size_t p, const Command& command) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < command.steps.size(); ++i) {
      if (model_.ready(command.steps[i])) {
        ready.push_back(i);
      }
    }
    if (ready.empty() && !command.otherwise) {
      model_.block(p, command);
      puppets_[p]->order(command);
    } else {
      puppets_[p]->order(command);
      Outcome outcome = wait_for(p);
      if (ready.empty()) {
        EXPECT_EQ(outcome.index, kOtherwise);
      } else {
        ASSERT_TRUE(std::count(ready.begin(), ready.end(), outcome.index) == 1);
        EXPECT_EQ(outcome, model_.apply(command.steps[outcome.index], outcome.index));
      }
    }
    settle();
  }

  Outcome wait_for(size_t p) {
    std::optional<Outcome> outcome;
    eventually([&] { return (outcome = puppets_[p]->poll()).has_value(); });
    return outcome.value_or(Outcome{});
  }

  template <class F>
  static void eventually(F condition) {
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      yield();
      if (std::chrono::steady_clock::now() > limit) {
        // The puppets hang: nothing can be joined any more.
        fprintf(stderr, "the model's state is not reached\n");
        std::_Exit(1);
      }
    }
  }

  /// Waits until all that must finish has finished and all others stand in their queues.
  void settle() {
    for (size_t p = 0; p < kPuppets; ++p) {
      if (model_.expected[p]) {
        EXPECT_EQ(wait_for(p), *model_.expected[p]);
        model_.expected[p].reset();
      }
    }
    for (size_t c = 0; c < kChannels; ++c) {
      eventually([&] { return ChanTestPeer::waiting(*chans_[c].core()) == model_.waiting(c); });
      EXPECT_EQ(chans_[c].size(), model_.channels[c].buffer.size());
    }
    for (size_t p = 0; p < kPuppets; ++p) {
      EXPECT_EQ(puppets_[p]->poll(), std::nullopt);
    }
  }

  /// Closes what nobody waits to send to, receives for the senders, and ends the puppets.
  void finish() {
    for (size_t c = 0; c < kChannels; ++c) {
      Model::Channel& channel = model_.channels[c];
      while (!channel.buffer.empty() || !channel.senders.empty()) {
        EXPECT_EQ(chans_[c].try_recv(), model_.apply({c, false, 0}, 0).received);
        settle();
      }
      chans_[c].close();
      model_.close(c);
      settle();
    }
    Command quit;
    quit.quit = true;
    for (const std::unique_ptr<Puppet>& puppet : puppets_) {
      puppet->order(quit);
    }
    strands_.join();
  }

  TestRandom random_;
  Strands strands_;
  Model model_;
  std::vector<Chan<int>> chans_;
  std::vector<std::unique_ptr<Puppet>> puppets_;
  int next_value_ = 1;
};

class ChanModelTest : public ::testing::TestWithParam<StrandKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, ChanModelTest,
                         ::testing::Values(StrandKind::kGoroutines, StrandKind::kThreads,
                                           StrandKind::kMixed),
                         [](const auto& one) { return strand_kind_name(one.param); });

TEST_P(ChanModelTest, DoesWhatTheModelDoes) {
  auto play = [](int first, int last) {
    for (int seed = first; seed <= last && !HasFailure(); ++seed) {
      Play(GetParam(), static_cast<uint64_t>(seed)).run(30);
      EXPECT_FALSE(HasFailure()) << "seed " << seed;
    }
  };
  if (GetParam() != StrandKind::kGoroutines) {
    play(1, 150);
    return;
  }
  // The test itself is one of the goroutines: on one processor nothing else gets between.
  int before = set_processors(1);
  run([&] { play(1, 20000); });
  set_processors(2);
  run([&] { play(20001, 23000); });
  set_processors(before);
}

}  // namespace
}  // namespace burrow
