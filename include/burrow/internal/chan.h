// What chan.h and select.h call: channels without their element's type. Not for direct use.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace burrow::internal {

/// How to handle an element in memory.
struct ElementType {
  size_t size;
  size_t align;
  /// Constructs *to from *from, which stays to be destroyed. Null: copy `size` bytes.
  void (*move)(void* to, void* from) noexcept;
  /// Null: nothing to do.
  void (*destroy)(void* element) noexcept;
};

template <class T>
void move_element(void* to, void* from) noexcept {
  ::new (to) T(std::move(*static_cast<T*>(from)));
}

template <class T>
void destroy_element(void* element) noexcept {
  static_cast<T*>(element)->~T();
}

template <class T>
inline constexpr ElementType kElementType{
    sizeof(T), alignof(T), std::is_trivially_copyable_v<T> ? nullptr : &move_element<T>,
    std::is_trivially_destructible_v<T> ? nullptr : &destroy_element<T>};

/// Memory for one element that may or may not be there.
template <class T>
union ElementSlot {
  ElementSlot() noexcept {}  // NOLINT(modernize-use-equals-default): T may have no default

  ~ElementSlot() {}  // NOLINT(modernize-use-equals-default)

  ElementSlot(const ElementSlot&) = delete;
  ElementSlot& operator=(const ElementSlot&) = delete;

  T value;
};

class ChanCore;

/// A channel with one reference. Panics when the buffer's size is out of range.
[[nodiscard]] ChanCore* chan_make(const ElementType& type, size_t capacity);
void chan_ref(ChanCore* chan) noexcept;
void chan_unref(ChanCore* chan) noexcept;

// A null channel is Go's nil channel: send and recv wait for ever, close panics.

/// Moves from *value.
void chan_send(ChanCore* chan, void* value);
/// False, and *value untouched, when it would have to wait.
[[nodiscard]] bool chan_try_send(ChanCore* chan, void* value);
/// True: an element was constructed in `slot`. False: closed and empty.
[[nodiscard]] bool chan_recv(ChanCore* chan, void* slot);
/// As chan_recv; false also when it would have to wait.
[[nodiscard]] bool chan_try_recv(ChanCore* chan, void* slot);
void chan_close(ChanCore* chan);
[[nodiscard]] size_t chan_size(const ChanCore* chan) noexcept;
[[nodiscard]] size_t chan_capacity(const ChanCore* chan) noexcept;

/// One channel of a select.
struct SelectCase {
  ChanCore* chan = nullptr;
  /// The value to send, or an empty slot to receive into.
  void* element = nullptr;
  bool is_send = false;
  /// Set for the chosen case: false when it is a receive and the channel is closed and empty.
  bool ok = false;
  uint16_t poll_order = 0;
  uint16_t lock_order = 0;
  /// The record in the channel's queue; the library's own.
  void* node[8] = {};
};

inline constexpr size_t kSelectOtherwise = SIZE_MAX;
inline constexpr size_t kSelectTimeout = SIZE_MAX - 1;
inline constexpr int64_t kNoTimeout = -1;

/// Carries out one case that is ready, chosen at random, and returns its index. When none is: with
/// `otherwise`, returns kSelectOtherwise; else waits, after `timeout_ns` for kSelectTimeout.
[[nodiscard]] size_t select_cases(SelectCase* cases, size_t count, bool otherwise,
                                  int64_t timeout_ns);

}  // namespace burrow::internal
