// Send, receive and close. See lang.h.
#include "lang/chan.h"

#include <new>

#include "base/check.h"

namespace burrow::internal {

using lang::WaitNode;
using State = ChanCore::Transfer::State;

ChanCore::Transfer ChanCore::start_send(void* value) {
  if (closed.load(std::memory_order_relaxed)) {
    return {State::kClosed};
  }
  if (WaitNode* receiver = receivers.take()) {
    return {State::kHandOver, receiver};
  }
  size_t held = count.load(std::memory_order_relaxed);
  if (held < capacity) {
    push(value);
    count.store(held + 1, std::memory_order_relaxed);
    return {State::kDone};
  }
  return {State::kMustWait};
}

void ChanCore::finish_send(const Transfer& transfer, void* value) {
  if (transfer.state == State::kHandOver) {
    // The channel may be gone as soon as the peer is woken, and the type with it: move first.
    move(transfer.peer->element, value);
    lang::finish(*transfer.peer, true);
  } else if (transfer.state == State::kClosed) {
    sched::panic("send on closed channel");
  }
}

ChanCore::Transfer ChanCore::start_recv(void* slot) {
  size_t held = count.load(std::memory_order_relaxed);
  if (held > 0) {
    void* first = slot_at(head);
    move(slot, first);
    destroy(first);
    head = next(head);
    // Who waits to send does so because the buffer was full: its value takes the slot's place.
    if (WaitNode* sender = senders.take()) {
      push(sender->element);
      return {State::kWake, sender};
    }
    count.store(held - 1, std::memory_order_relaxed);
    return {State::kDone};
  }
  if (WaitNode* sender = senders.take()) {
    return {State::kHandOver, sender};
  }
  if (closed.load(std::memory_order_relaxed)) {
    return {State::kClosed};
  }
  return {State::kMustWait};
}

void ChanCore::finish_recv(const Transfer& transfer, void* slot) {
  if (transfer.state == State::kHandOver) {
    move(slot, transfer.peer->element);
    lang::finish(*transfer.peer, true);
  } else if (transfer.state == State::kWake) {
    lang::finish(*transfer.peer, true);
  }
}

namespace {

/// Bytes of the object and its buffer, and where the buffer starts; false when out of range.
bool layout(const ElementType& type, size_t capacity, size_t& offset, size_t& bytes) {
  offset = (sizeof(ChanCore) + type.align - 1) / type.align * type.align;
  return !__builtin_mul_overflow(type.size, capacity, &bytes) &&
         !__builtin_add_overflow(bytes, offset, &bytes) && bytes <= PTRDIFF_MAX;
}

std::align_val_t alignment(const ElementType& type) {
  return std::align_val_t(type.align > alignof(ChanCore) ? type.align : alignof(ChanCore));
}

bool unlock(void* chan) {
  static_cast<ChanCore*>(chan)->lock.unlock();
  return true;
}

[[noreturn]] void wait_for_ever(sched::WaitReason reason) {
  for (;;) {
    sched::Waiter waiter;
    waiter.wait(reason, nullptr, nullptr);
  }
}

}  // namespace

BURROW_EXPORT ChanCore* chan_make(const ElementType& type, size_t capacity) {
  size_t offset = 0;
  size_t bytes = 0;
  if (!layout(type, capacity, offset, bytes)) {
    sched::panic("makechan: size out of range");
  }
  auto* memory = static_cast<std::byte*>(::operator new(bytes, alignment(type)));
  return ::new (memory) ChanCore(type, capacity, memory + offset);
}

BURROW_EXPORT void chan_ref(ChanCore* chan) noexcept {
  // Relaxed: who copies a reference holds one.
  chan->refs.fetch_add(1, std::memory_order_relaxed);
}

BURROW_EXPORT void chan_unref(ChanCore* chan) noexcept {
  // Acquire and release: what each holder did comes before the destruction by the last.
  if (chan->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  if (!chan->senders.empty() || !chan->receivers.empty()) {
    fatal("a channel is destroyed while a goroutine waits on it: give each goroutine its own copy");
  }
  if (chan->type.destroy != nullptr) {
    for (size_t left = chan->count.load(std::memory_order_relaxed); left > 0; --left) {
      chan->type.destroy(chan->buffer + chan->head * chan->type.size);
      chan->head = chan->head + 1 == chan->capacity ? 0 : chan->head + 1;
    }
  }
  std::align_val_t align = alignment(chan->type);
  chan->~ChanCore();
  ::operator delete(chan, align);
}

BURROW_EXPORT void chan_send(ChanCore* chan, void* value) {
  if (chan == nullptr) {
    wait_for_ever(sched::WaitReason::kChanSendNil);
  }
  chan->lock.lock();
  ChanCore::Transfer transfer = chan->start_send(value);
  if (transfer.state != State::kMustWait) {
    chan->lock.unlock();
    chan->finish_send(transfer, value);
    return;
  }
  sched::Waiter waiter;
  WaitNode node;
  node.waiter = &waiter;
  node.element = value;
  chan->senders.push_back(node);
  waiter.wait(sched::WaitReason::kChanSend, &unlock, chan);
  if (!node.passed) {
    sched::panic("send on closed channel");
  }
}

BURROW_EXPORT bool chan_try_send(ChanCore* chan, void* value) {
  if (chan == nullptr) {
    return false;
  }
  chan->lock.lock();
  ChanCore::Transfer transfer = chan->start_send(value);
  chan->lock.unlock();
  chan->finish_send(transfer, value);
  return transfer.state != State::kMustWait;
}

BURROW_EXPORT bool chan_recv(ChanCore* chan, void* slot) {
  if (chan == nullptr) {
    wait_for_ever(sched::WaitReason::kChanRecvNil);
  }
  chan->lock.lock();
  ChanCore::Transfer transfer = chan->start_recv(slot);
  if (transfer.state != State::kMustWait) {
    chan->lock.unlock();
    chan->finish_recv(transfer, slot);
    return transfer.state != State::kClosed;
  }
  sched::Waiter waiter;
  WaitNode node;
  node.waiter = &waiter;
  node.element = slot;
  chan->receivers.push_back(node);
  waiter.wait(sched::WaitReason::kChanRecv, &unlock, chan);
  return node.passed;
}

BURROW_EXPORT bool chan_try_recv(ChanCore* chan, void* slot) {
  if (chan == nullptr) {
    return false;
  }
  chan->lock.lock();
  ChanCore::Transfer transfer = chan->start_recv(slot);
  chan->lock.unlock();
  chan->finish_recv(transfer, slot);
  return transfer.state != State::kMustWait && transfer.state != State::kClosed;
}

BURROW_EXPORT void chan_close(ChanCore* chan) {
  if (chan == nullptr) {
    sched::panic("close of nil channel");
  }
  chan->lock.lock();
  if (chan->closed.load(std::memory_order_relaxed)) {
    chan->lock.unlock();
    sched::panic("close of closed channel");
  }
  chan->closed.store(true, std::memory_order_relaxed);
  lang::WaitNode* receivers = chan->receivers.take_all();
  lang::WaitNode* senders = chan->senders.take_all();
  chan->lock.unlock();
  lang::finish_all(receivers, false);
  lang::finish_all(senders, false);
}

BURROW_EXPORT size_t chan_size(const ChanCore* chan) noexcept {
  return chan == nullptr ? 0 : chan->count.load(std::memory_order_relaxed);
}

BURROW_EXPORT size_t chan_capacity(const ChanCore* chan) noexcept {
  return chan == nullptr ? 0 : chan->capacity;
}

}  // namespace burrow::internal
