// A processor's run queue: bounded, filled by its owner, emptied from the front by anybody. See
// sched.h, How 2.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sched/goroutine.h"

namespace burrow::sched {

/// A ring (Go's runq). The owner alone moves the tail; the front is taken by compare-and-swap of
/// the head. Indices run on and wrap; tail - head is the length.
class RunQueue {
 public:
  static constexpr uint32_t kCapacity = 256;

  /// Appends; false when the queue is full. Owner only.
  [[nodiscard]] bool push(Goroutine* g) {
    // Acquire: pairs with the releases of takers, so that the slot is free to be written.
    uint32_t head = head_.load(std::memory_order_acquire);
    uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head >= kCapacity) {
      return false;
    }
    slots_[tail % kCapacity].store(g, std::memory_order_relaxed);
    // Release: pairs with the acquires in grab and pop.
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Takes the front; null when the queue is empty. Owner only.
  [[nodiscard]] Goroutine* pop() {
    // Acquire: pairs with the releases of takers.
    uint32_t head = head_.load(std::memory_order_acquire);
    while (true) {
      uint32_t tail = tail_.load(std::memory_order_relaxed);
      if (tail == head) {
        return nullptr;
      }
      Goroutine* g = slots_[head % kCapacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return g;
      }
    }
  }

  /// The front, while nobody else takes; null when the queue is empty. Owner only, as the next.
  [[nodiscard]] Goroutine* front_alone(uint32_t& head) const {
    head = head_.load(std::memory_order_relaxed);
    bool empty = tail_.load(std::memory_order_relaxed) == head;
    return empty ? nullptr : slots_[head % kCapacity].load(std::memory_order_relaxed);
  }

  /// Takes out the front that was at `head`.
  void drop_front_alone(uint32_t head) {
    // Release: as in pop, for those who take later.
    head_.store(head + 1, std::memory_order_release);
  }

  /// Moves the first half (at least one) of `from` to this queue, which is empty, and returns one
  /// of them, not queued. Owner of this queue only; `from` is another's.
  [[nodiscard]] Goroutine* steal_half(RunQueue& from) {
    uint32_t tail = tail_.load(std::memory_order_relaxed);
    uint32_t count = from.grab(*this, tail);
    if (count == 0) {
      return nullptr;
    }
    --count;
    Goroutine* g = slots_[(tail + count) % kCapacity].load(std::memory_order_relaxed);
    if (count > 0) {
      // Release: as in push.
      tail_.store(tail + count, std::memory_order_release);
    }
    return g;
  }

  /// Takes the first half out, in order. Owner only; for a full queue.
  void shed_half(GoroutineList& out) {
    for (uint32_t n = kCapacity / 2; n > 0; --n) {
      Goroutine* g = pop();
      if (g == nullptr) {
        return;
      }
      out.push(g);
    }
  }

  /// Number of goroutines; may be old for others than the owner.
  [[nodiscard]] uint32_t size() const {
    // The head first: it never passes the tail that is read after it. Seq_cst: see sched.h,
    // "No wake-up is lost".
    uint32_t head = head_.load(std::memory_order_seq_cst);
    return tail_.load(std::memory_order_seq_cst) - head;
  }

 private:
  friend struct RunQueueTestPeer;

  // Copies the first half into `to` at `at` and takes it from here; the number.
  uint32_t grab(RunQueue& to, uint32_t at) {
    // Acquire: pairs with the releases of other takers.
    uint32_t head = head_.load(std::memory_order_acquire);
    while (true) {
      // Acquire: pairs with the release in push.
      uint32_t tail = tail_.load(std::memory_order_acquire);
      uint32_t count = tail - head;
      count -= count / 2;
      if (count == 0) {
        return 0;
      }
      if (count > kCapacity / 2) {  // head and tail are of different moments
        head = head_.load(std::memory_order_acquire);
        continue;
      }
      for (uint32_t i = 0; i < count; ++i) {
        Goroutine* g = slots_[(head + i) % kCapacity].load(std::memory_order_relaxed);
        to.slots_[(at + i) % kCapacity].store(g, std::memory_order_relaxed);
      }
      // Release: what is copied is read before the slots are free. Acquire: as above.
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return count;
      }
    }
  }

  alignas(64) std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
  std::array<std::atomic<Goroutine*>, kCapacity> slots_{};
};

}  // namespace burrow::sched
