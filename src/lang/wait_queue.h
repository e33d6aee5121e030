// Who waits for a channel or a semaphore, in order: Go's waitq of sudogs. See lang.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/waiter.h"

namespace burrow::lang {

/// One wait: a record on the waiting goroutine's (or thread's) stack. While it is in a queue the
/// queue's lock guards it; who takes it out owns it until the wake.
struct WaitNode {
  WaitNode* next = nullptr;
  WaitNode* prev = nullptr;
  sched::Waiter* waiter = nullptr;
  /// A sender's value, or a receiver's empty slot.
  void* element = nullptr;
  /// A select's claim: the first that puts its node here carries out the case. Null: no select.
  std::atomic<WaitNode*>* winner = nullptr;
  /// Set by the one who wakes: a value has passed (else the channel was closed).
  bool passed = false;
  bool queued = false;
  /// A condition variable's.
  uint32_t ticket = 0;
};

/// A doubly linked list. All functions REQUIRE the lock of the channel it belongs to.
class WaitQueue {
 public:
  [[nodiscard]] bool empty() const { return first_ == nullptr; }

  void push_back(WaitNode& node) {
    node.queued = true;
    node.next = nullptr;
    node.prev = last_;
    (last_ == nullptr ? first_ : last_->next) = &node;
    last_ = &node;
  }

  void push_front(WaitNode& node) {
    node.queued = true;
    node.prev = nullptr;
    node.next = first_;
    (first_ == nullptr ? last_ : first_->prev) = &node;
    first_ = &node;
  }

  void remove(WaitNode& node) {
    node.queued = false;
    (node.prev == nullptr ? first_ : node.prev->next) = node.next;
    (node.next == nullptr ? last_ : node.next->prev) = node.prev;
  }

  [[nodiscard]] WaitNode* first() const { return first_; }

  /// Takes out the first that can still be served, and claims it when it belongs to a select:
  /// the caller must wake it. Null when there is none.
  [[nodiscard]] WaitNode* take() {
    while (first_ != nullptr) {
      WaitNode* node = first_;
      remove(*node);
      WaitNode* none = nullptr;
      // A select in several queues is served once: the first claim wins. Acquire and release: the
      // winner's writes reach the selector by the wake; nothing else is read through `winner`.
      if (node->winner == nullptr ||
          node->winner->compare_exchange_strong(none, node, std::memory_order_acq_rel,
                                                std::memory_order_relaxed)) {
        return node;
      }
    }
    return nullptr;
  }

  /// Takes out all that can be served, as `take` does; a list by `next` in order.
  [[nodiscard]] WaitNode* take_all() {
    WaitNode* all = nullptr;
    WaitNode** end = &all;
    while (WaitNode* node = take()) {
      *end = node;
      end = &node->next;
    }
    *end = nullptr;
    return all;
  }

 private:
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

/// Ends a wait. The node and its waiter may be gone when it returns.
inline void finish(WaitNode& node, bool passed) {
  node.passed = passed;
  node.waiter->wake();
}

/// Ends the waits of a list that `take_all` made.
inline void finish_all(WaitNode* all, bool passed) {
  if (all != nullptr && all->next == nullptr) {
    finish(*all, passed);
    return;
  }
  while (all != nullptr) {
    WaitNode* next = all->next;
    all->passed = passed;
    all->waiter->wake_last();
    all = next;
  }
}

}  // namespace burrow::lang
