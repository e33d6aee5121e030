// Channels: Go's `chan T`. `select` over several of them is in select.h, which this includes.
//
//   burrow::Chan<int> numbers;                  // unbuffered
//   burrow::go([numbers] { numbers.send(1); numbers.close(); });
//   for (int n : numbers) printf("%d\n", n);
//
// Goroutines and plain threads use channels alike: who must wait parks its goroutine, or blocks its
// thread. Misuse is a panic as in Go: a line on standard error, and the program ends with status 2.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "burrow/internal/chan.h"

namespace burrow {

/// A reference to a channel of T: copies share the channel, which lives as long as one of them.
///
/// T is moved straight from the sender to the receiver, or through the buffer. Its move constructor
/// must not throw; in a buffered channel it runs under the channel's lock, so it must not wait nor
/// use the channel.
///
/// A channel may be destroyed as soon as nobody uses it or waits on it: an operation that has
/// handed over its value touches the channel no more, even before it returns.
template <class T>
class Chan {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_array_v<T>,
                "an element is a plain object");
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "moving an element must not throw: it would be lost half-way");
  static_assert(std::is_nothrow_destructible_v<T>);

 public:
  using value_type = T;
  class iterator;  // NOLINT(readability-identifier-naming): ranges ask for this name

  /// A new channel that holds up to `capacity` values that nobody has received yet. With 0 a send
  /// waits for its receiver.
  explicit Chan(size_t capacity = 0)
      : core_(internal::chan_make(internal::kElementType<T>, capacity)) {}

  /// Go's nil channel: never ready, which takes a case out of a `select`. So is one moved from.
  Chan(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): as Go assigns nil

  Chan(const Chan& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) {
      internal::chan_ref(core_);
    }
  }

  Chan(Chan&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

  Chan& operator=(Chan other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }

  ~Chan() {
    if (core_ != nullptr) {
      internal::chan_unref(core_);
    }
  }

  /// Waits until a receiver or room in the buffer takes the value. Panics when the channel is
  /// closed, or is closed meanwhile.
  void send(T value) const { internal::chan_send(core_, std::addressof(value)); }

  /// As send, but gives up where send would wait: false, and `value` is as it was.
  [[nodiscard]] bool try_send(T&& value) const {
    return internal::chan_try_send(core_, std::addressof(value));
  }

  /// As above, of a copy.
  [[nodiscard]] bool try_send(const T& value) const
    requires std::is_copy_constructible_v<T>
  {
    T copy(value);
    return internal::chan_try_send(core_, std::addressof(copy));
  }

  /// The next value, in the order of sending. Waits for one; nothing when the channel is closed and
  /// all values are received.
  [[nodiscard]] std::optional<T> recv() const {
    internal::ElementSlot<T> slot;
    return take(slot, internal::chan_recv(core_, std::addressof(slot.value)));
  }

  /// As recv, but nothing where recv would wait. A `select` with `otherwise` tells the two apart.
  [[nodiscard]] std::optional<T> try_recv() const {
    internal::ElementSlot<T> slot;
    return take(slot, internal::chan_try_recv(core_, std::addressof(slot.value)));
  }

  /// No more values will be sent. Receivers get what is in the buffer, then nothing. Panics when
  /// the channel is closed already, or nil.
  void close() const { internal::chan_close(core_); }

  /// Values in the buffer: Go's len.
  [[nodiscard]] size_t size() const noexcept { return internal::chan_size(core_); }

  /// Go's cap.
  [[nodiscard]] size_t capacity() const noexcept { return internal::chan_capacity(core_); }

  /// `for (T value : chan)` receives until the channel is closed and empty.
  [[nodiscard]] iterator begin() const { return iterator(*this); }

  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// True for the same channel.
  friend bool operator==(const Chan& a, const Chan& b) noexcept { return a.core_ == b.core_; }

  /// True but for a nil channel.
  explicit operator bool() const noexcept { return core_ != nullptr; }

  /// For select.h.
  [[nodiscard]] internal::ChanCore* core() const noexcept { return core_; }

 private:
  static std::optional<T> take(internal::ElementSlot<T>& slot, bool there) noexcept {
    std::optional<T> result;
    if (there) {
      result.emplace(std::move(slot.value));
      slot.value.~T();
    }
    return result;
  }

  internal::ChanCore* core_ = nullptr;
};

/// Holds the value received last; `++` receives the next.
template <class T>
class Chan<T>::iterator {  // NOLINT(readability-identifier-naming): as above
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  explicit iterator(const Chan& chan) : chan_(chan), value_(chan_.recv()) {}

  iterator(iterator&&) noexcept = default;
  iterator& operator=(iterator&&) noexcept = default;

  T& operator*() const noexcept { return *value_; }

  iterator& operator++() {
    value_.reset();
    if (std::optional<T> next = chan_.recv()) {
      value_.emplace(std::move(*next));
    }
    return *this;
  }

  void operator++(int) { ++*this; }

  friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept {
    return !i.value_.has_value();
  }

 private:
  Chan chan_;
  mutable std::optional<T> value_;
};

}  // namespace burrow

#include "burrow/select.h"  // IWYU pragma: export
