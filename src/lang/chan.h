// A channel without its element's type: Go's hchan. See lang.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "burrow/internal/chan.h"
#include "lang/queue_lock.h"
#include "lang/wait_queue.h"

namespace burrow::internal {

/// The buffer's slots follow the object. All but `refs`, `type` and `capacity` is guarded by
/// `lock`; `count` and `closed` may be read without it, for a figure that is old at once anyhow.
///
/// Invariants: one of `senders` and `receivers` is empty, but for a select that waits in both;
/// receivers wait only while `count` is 0, senders only while it is `capacity`.
class ChanCore {
 public:
  ChanCore(const ElementType& element, size_t slots, std::byte* memory)
      : type(element), capacity(slots), buffer(memory) {}

  lang::QueueLock lock;
  std::atomic<bool> closed{false};
  const ElementType type;
  const size_t capacity;
  std::byte* const buffer;
  std::atomic<size_t> count{0};
  /// The slot to receive from next, and the one to send to.
  size_t head = 0;
  size_t tail = 0;
  lang::WaitQueue senders;
  lang::WaitQueue receivers;
  std::atomic<size_t> refs{1};

  /// Constructs *to from *from, which stays to be destroyed.
  void move(void* to, void* from) const {
    if (type.move != nullptr) {
      type.move(to, from);
    } else if (type.size == sizeof(uint64_t)) {
      std::memcpy(to, from, sizeof(uint64_t));
    } else {
      std::memcpy(to, from, type.size);
    }
  }

  void destroy(void* element) const {
    if (type.destroy != nullptr) {
      type.destroy(element);
    }
  }

  /// What a send or a receive that need not wait has left to do when the locks are given back.
  struct Transfer {
    enum class State : uint8_t {
      kMustWait,  ///< nothing was done
      kDone,      ///< all was done
      kHandOver,  ///< `peer` was taken out of its queue: the value moves directly, then it wakes
      kWake,      ///< the value has moved; `peer` is to be woken
      kClosed,    ///< nothing can pass any more
    };
    State state;
    lang::WaitNode* peer = nullptr;
  };

  /// REQUIRES (both): `lock` is held. After unlocking call finish_send or finish_recv.
  [[nodiscard]] Transfer start_send(void* value);
  [[nodiscard]] Transfer start_recv(void* slot);
  void finish_send(const Transfer& transfer, void* value);
  void finish_recv(const Transfer& transfer, void* slot);

 private:
  [[nodiscard]] void* slot_at(size_t index) const { return buffer + index * type.size; }

  [[nodiscard]] size_t next(size_t index) const { return index + 1 == capacity ? 0 : index + 1; }

  /// Puts a value at the tail.
  void push(void* value) {
    move(slot_at(tail), value);
    tail = next(tail);
  }
};

}  // namespace burrow::internal
