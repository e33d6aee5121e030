// Select: Go's selectgo. See lang.h, "Select".
#include <atomic>
#include <new>

#include "base/check.h"
#include "burrow/internal/chan.h"
#include "lang/chan.h"
#include "lang/random.h"
#include "sched/timer.h"

namespace burrow::internal {
namespace {

using lang::WaitNode;
using State = ChanCore::Transfer::State;

static_assert(sizeof(WaitNode) <= sizeof(SelectCase::node) && alignof(WaitNode) <= alignof(void*));

/// The cases whose channel is not nil, in a random order and in the order of locking.
class Cases {
 public:
  Cases(SelectCase* cases, size_t count) : cases_(cases) {
    for (size_t i = 0; i < count; ++i) {
      if (cases[i].chan == nullptr) {
        continue;
      }
      // Inside-out shuffle: every permutation is equally likely.
      size_t at = size_ == 0 ? 0 : lang::random_below(static_cast<uint32_t>(size_ + 1));
      cases[size_].poll_order = cases[at].poll_order;
      cases[at].poll_order = static_cast<uint16_t>(i);
      insert_by_address(static_cast<uint16_t>(i));
      ++size_;
    }
  }

  [[nodiscard]] size_t size() const { return size_; }

  [[nodiscard]] size_t polled(size_t i) const { return cases_[i].poll_order; }

  SelectCase& locked(size_t i) { return cases_[cases_[i].lock_order]; }

  void lock_all() {
    ChanCore* last = nullptr;
    for (size_t i = 0; i < size_; ++i) {
      if (locked(i).chan != last) {
        last = locked(i).chan;
        last->lock.lock();
      }
    }
  }

  /// When it runs for a select that has enqueued itself, the first unlock lets others wake the
  /// selector; that one then waits in lock_all for the last lock, whose channel comes last here as
  /// well, and by then nothing of the select's is looked at any more.
  void unlock_all() {
    ChanCore* chan = nullptr;
    for (size_t i = 0; i < size_; ++i) {
      ChanCore* next = locked(i).chan;
      if (chan != nullptr && next != chan) {
        chan->lock.unlock();
      }
      chan = next;
    }
    if (chan != nullptr) {
      chan->lock.unlock();
    }
  }

 private:
  void insert_by_address(uint16_t index) {
    size_t at = size_;
    while (at > 0 && cases_[cases_[at - 1].lock_order].chan > cases_[index].chan) {
      cases_[at].lock_order = cases_[at - 1].lock_order;
      --at;
    }
    cases_[at].lock_order = index;
  }

  SelectCase* cases_;
  size_t size_ = 0;
};

WaitNode& node_of(SelectCase& one) {
  return *std::launder(reinterpret_cast<WaitNode*>(one.node));
}

lang::WaitQueue& queue_of(SelectCase& one) {
  return one.is_send ? one.chan->senders : one.chan->receivers;
}

/// Carries out the first case in random order that need not wait, and gives the locks back.
/// Returns its index; kSelectOtherwise, with the locks held, when there is none.
size_t try_cases(SelectCase* all, Cases& cases) {
  for (size_t i = 0; i < cases.size(); ++i) {
    size_t index = cases.polled(i);
    SelectCase& one = all[index];
    ChanCore* chan = one.chan;
    ChanCore::Transfer transfer =
        one.is_send ? chan->start_send(one.element) : chan->start_recv(one.element);
    if (transfer.state == State::kMustWait) {
      continue;
    }
    cases.unlock_all();
    if (one.is_send) {
      chan->finish_send(transfer, one.element);
    } else {
      chan->finish_recv(transfer, one.element);
    }
    one.ok = transfer.state != State::kClosed;
    return index;
  }
  return kSelectOtherwise;
}

/// A select that waits: in the queue of each of its channels, and perhaps with a timer.
struct Waiting {
  Cases& cases;
  sched::Waiter waiter;
  /// The node that was served, or `timeout`.
  std::atomic<WaitNode*> winner{nullptr};
  WaitNode timeout;
  int64_t timeout_ns;
  sched::Timer timer;

  Waiting(Cases& c, int64_t ns) : cases(c), timeout_ns(ns) {
    timer.callback = &on_timeout;
    timer.argument = this;
  }

  /// REQUIRES: all locks are held.
  void enqueue() {
    for (size_t i = 0; i < cases.size(); ++i) {
      SelectCase& one = cases.locked(i);
      auto* node = ::new (one.node) WaitNode;
      node->waiter = &waiter;
      node->element = one.element;
      node->winner = &winner;
      queue_of(one).push_back(*node);
    }
  }

  /// Takes the node out of each queue that it is still in: a loser's, or one that a claim found
  /// too late to serve.
  void dequeue() {
    cases.lock_all();
    for (size_t i = 0; i < cases.size(); ++i) {
      SelectCase& one = cases.locked(i);
      if (WaitNode& node = node_of(one); node.queued) {
        queue_of(one).remove(node);
      }
    }
    cases.unlock_all();
  }

  static void on_timeout(void* argument) {
    auto* self = static_cast<Waiting*>(argument);
    WaitNode* none = nullptr;
    // As in WaitQueue::take.
    if (self->winner.compare_exchange_strong(none, &self->timeout, std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {
      self->waiter.wake();
    }
  }

  /// The timer starts here because it may fire, and wake the selector, at once; and before the
  /// unlocking, because any claim after that lets the selector stop it. Without a channel nothing
  /// holds the selector back once the timer runs: its frame is not touched again.
  static bool commit(void* argument) {
    auto* self = static_cast<Waiting*>(argument);
    Cases& cases = self->cases;
    bool locked = cases.size() != 0;
    if (self->timeout_ns != kNoTimeout) {
      sched::timer_start(self->timer, sched::deadline_after(self->timeout_ns));
    }
    if (locked) {
      cases.unlock_all();
    }
    return true;
  }
};

[[noreturn]] void wait_for_ever() {
  for (;;) {
    sched::Waiter waiter;
    waiter.wait(sched::WaitReason::kSelectNoCases, nullptr, nullptr);
  }
}

/// REQUIRES: all locks are held, and no case is ready.
size_t wait_for_one(SelectCase* all, size_t count, Cases& cases, int64_t timeout_ns) {
  Waiting waiting(cases, timeout_ns);
  waiting.enqueue();
  waiting.waiter.wait(sched::WaitReason::kSelect, &Waiting::commit, &waiting);
  if (timeout_ns != kNoTimeout) {
    (void)sched::timer_stop(waiting.timer);
  }
  waiting.dequeue();
  WaitNode* winner = waiting.winner.load(std::memory_order_relaxed);
  if (winner == &waiting.timeout) {
    return kSelectTimeout;
  }
  size_t index = 0;
  while (index < count && (all[index].chan == nullptr || &node_of(all[index]) != winner)) {
    ++index;
  }
  DCHECK(index < count);
  all[index].ok = winner->passed;
  return index;
}

}  // namespace

BURROW_EXPORT size_t select_cases(SelectCase* cases, size_t count, bool otherwise,
                                  int64_t timeout_ns) {
  CHECK(count <= UINT16_MAX);
  Cases order(cases, count);
  if (order.size() == 0 && !otherwise && timeout_ns == kNoTimeout) {
    wait_for_ever();
  }
  order.lock_all();
  size_t index = try_cases(cases, order);
  if (index == kSelectOtherwise && !otherwise) {
    index = wait_for_one(cases, count, order, timeout_ns);
    if (index < count && cases[index].is_send && !cases[index].ok) {
      sched::panic("send on closed channel");
    }
  } else if (index == kSelectOtherwise) {
    order.unlock_all();
  }
  return index;
}

}  // namespace burrow::internal
