// Go's slices: a view of a part of an array on the collected heap, which grows by `append`.
//
//     burrow::Slice<int> s = burrow::make_slice<int>(0, 10);
//     s = burrow::append(s, 1, 2, 3);
//     for (int& x : s(1, 3)) ...
//
// Copies of a slice share their elements. An index or a bound out of range ends the program with
// Go's message. A slice may be anywhere a pointer to a collected object may be.
#pragma once

#include <burrow/internal/cxx20.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <ranges>
#include <span>
#include <type_traits>

#include "burrow/gc.h"
#include "burrow/internal/grow.h"
#include "burrow/internal/panic.h"

namespace burrow {

namespace internal {

/// Where slices without room point to: they are not null.
alignas(16) inline char empty_array[16] = {};

/// In front of elements with a destructor: how many there are to destroy.
struct alignas(16) ElementCount {
  size_t n;
};

/// Bytes in front of the elements.
template <class T>
inline constexpr size_t kBeforeElements =
    std::is_trivially_destructible_v<T> ? 0 : sizeof(ElementCount);

template <class T>
void destroy_elements(void* array) {
  auto* count = static_cast<ElementCount*>(array);
  std::destroy_n(std::launder(reinterpret_cast<T*>(count + 1)), count->n);
}

/// All `n` elements are constructed: their destructors run when nothing reaches them any more.
template <class T>
void elements_made([[maybe_unused]] T* elements, [[maybe_unused]] size_t n) {
  if constexpr (!std::is_trivially_destructible_v<T>) {
    auto* count = reinterpret_cast<ElementCount*>(elements) - 1;
    count->n = n;
    burrow_gc_on_unreachable(count, &destroy_elements<T>);
  }
}

/// Memory for `n` > 0 elements, none of them constructed. REQUIRES: their bytes fit PTRDIFF_MAX.
template <class T>
T* allocate_elements(size_t n) {
  static_assert(alignof(T) <= 16, "a slice cannot align to more than 16 bytes");
  if constexpr (!std::is_trivially_destructible_v<T>) {
    // No exact map: it would have to begin behind the count.
    constexpr bool kNone = kPointerMap<T>.kind == ObjectKind::kNoscan;
    void* memory = allocate_sized(sizeof(ElementCount) + n * sizeof(T),
                                  kNone ? ObjectKind::kNoscan : ObjectKind::kRaw);
    return reinterpret_cast<T*>(static_cast<ElementCount*>(memory) + 1);
  } else {
#ifdef __BURROW_PLUGIN__
    return static_cast<T*>(burrow_gc_new_array(n, &kTypeInfo<T>));
#else
    void* memory = allocate_sized(n * sizeof(T), kPointerMap<T>.kind);
    if constexpr (kPointerMap<T>.kind == ObjectKind::kExact) {
      burrow_gc_describe(memory, &kTypeInfo<T>, n);
    }
    return static_cast<T*>(memory);
#endif
  }
}

/// Copies elements that may overlap. One by one where stores have barriers.
template <class T>
void move_elements(T* to, const T* from, size_t n) {
  if constexpr (std::is_trivially_copyable_v<T>) {
    if (n > 0) {
      std::memmove(to, from, n * sizeof(T));
    }
  } else if (to <= from) {
    std::copy(from, from + n, to);
  } else {
    std::copy_backward(from, from + n, to + n);
  }
}

template <class T>
concept SliceElement =
    std::is_object_v<T> && !std::is_const_v<T> && std::copyable<T> && std::default_initializable<T>;

template <class T>
inline constexpr size_t kMostElements = (PTRDIFF_MAX - kBeforeElements<T>) / sizeof(T);

}  // namespace internal

/// A pointer, a length and a capacity. T must have a default value, and be copyable. Destructors
/// of elements run on the cleanup goroutine, some time after nothing reaches their array any more.
/// Constant or not, a slice gives access to its elements.
template <class T>
class Slice {
 public:
  using value_type = T;
  using iterator = T*;

  /// The null slice: of length 0, as the empty one, but equal to nullptr.
  constexpr Slice() noexcept = default;

  constexpr Slice(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  Slice(std::initializer_list<T> values);

  /// Of elements that are in an array already, on the collected heap or not.
  Slice(T* elements, size_t len, size_t cap) noexcept : ptr_(elements), len_(len), cap_(cap) {}

  Slice(const Slice&) noexcept = default;

  Slice& operator=(const Slice& other) noexcept {  // NOLINT(bugprone-unhandled-self-assignment)
    if (ptr_.get() != other.ptr_.get()) {  // appended in place, mostly: no need for the barrier
      ptr_ = other.ptr_;
    }
    len_ = other.len_;
    cap_ = other.cap_;
    return *this;
  }

  ~Slice() = default;

  [[nodiscard]] size_t len() const noexcept { return len_; }

  [[nodiscard]] size_t cap() const noexcept { return cap_; }

  // What the standard library calls them.
  [[nodiscard]] size_t size() const noexcept { return len_; }

  [[nodiscard]] bool empty() const noexcept { return len_ == 0; }

  [[nodiscard]] T* data() const noexcept { return ptr_.get(); }

  [[nodiscard]] T* begin() const noexcept { return ptr_.get(); }

  [[nodiscard]] T* end() const noexcept { return ptr_.get() + len_; }

  T& operator[](size_t i) const {
    if (__builtin_expect(i >= len_, 0)) {
      internal::panic_index(i, len_);
    }
    return ptr_.get()[i];
  }

  /// s[from:to]: may reach beyond the length, up to the capacity.
  [[nodiscard]] Slice operator()(size_t from, size_t to) const {
    if (__builtin_expect(to > cap_, 0)) {
      internal::panic_bounds(internal::BadBound::kTo, to, cap_);
    }
    return cut(internal::BadBound::kFrom, from, to, cap_);
  }

  /// s[from:to:max]: as above, with a capacity of max - from.
  [[nodiscard]] Slice operator()(size_t from, size_t to, size_t max) const {
    if (__builtin_expect(max > cap_, 0)) {
      internal::panic_bounds(internal::BadBound::kMax, max, cap_);
    }
    if (__builtin_expect(to > max, 0)) {
      internal::panic_bounds(internal::BadBound::kToOfMax, to, max);
    }
    return cut(internal::BadBound::kFromOfMax, from, to, max);
  }

  /// Go's slices.Equal: the same length, and equal elements.
  friend bool operator==(const Slice& a, const Slice& b)
    requires std::equality_comparable<T>
  {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  friend bool operator==(const Slice& s, std::nullptr_t) { return s.ptr_ == nullptr; }

 private:
  [[nodiscard]] Slice cut(internal::BadBound wrong, size_t from, size_t to, size_t max) const {
    if (__builtin_expect(from > to, 0)) {
      internal::panic_bounds(wrong, from, to);
    }
    // Without room it points at the start still: one past the end would be another object.
    return Slice(ptr_.get() + (from == max ? 0 : from), to - from, max - from);
  }

  Ptr<T> ptr_;
  size_t len_ = 0;
  size_t cap_ = 0;
};

template <class T>
struct type_map<Slice<T>> {
  static constexpr internal::PointerMap kFields = internal::pointer_map<Ptr<T>>();
  static constexpr bool kZeroed = true;
};

/// A slice of `len` default values with room for `cap`.
template <class T>
[[nodiscard]] Slice<T> make_slice(size_t len, size_t cap) {
  static_assert(internal::SliceElement<T>, "elements are copyable and have a default value");
  constexpr size_t kMost = internal::kMostElements<T>;
  if (__builtin_expect(len > cap || cap > kMost, 0)) {
    internal::panic_runtime(len > kMost ? "makeslice: len out of range"
                                        : "makeslice: cap out of range");
  }
  if (cap == 0) {
    return Slice<T>(reinterpret_cast<T*>(internal::empty_array), 0, 0);
  }
  T* elements = internal::allocate_elements<T>(cap);
  if (!internal::is_zeroed<T>()) {
    std::uninitialized_value_construct_n(elements, cap);
  }
  internal::elements_made(elements, cap);
  return Slice<T>(elements, len, cap);
}

/// A slice of `len` default values.
template <class T>
[[nodiscard]] Slice<T> make_slice(size_t len) {
  return make_slice<T>(len, len);
}

namespace internal {

/// An array to go on in. Comes back in two registers, so that a slice that is appended to in a loop
/// stays in registers itself.
template <class T>
struct Grown {
  T* elements;
  size_t cap;
};

/// A new array of the `len` elements at `from`, with room for `needed` and more.
template <class T>
[[gnu::noinline]] Grown<T> grow_elements(const T* from, size_t len, size_t cap, size_t needed) {
  static_assert(SliceElement<T>, "elements are copyable and have a default value");
  constexpr size_t kMost = kMostElements<T>;
  if (needed < len || needed > kMost) {
    panic_runtime("growslice: len out of range");
  }
  size_t room = grown_capacity(cap, needed);
  room = kBeforeElements<T> + (room > kMost ? needed : room) * sizeof(T);
  room = (object_room(room) - kBeforeElements<T>) / sizeof(T);
  T* elements = allocate_elements<T>(room);
  if constexpr (std::is_trivially_copyable_v<T>) {
    move_elements(elements, from, len);
  } else {
    std::uninitialized_copy_n(from, len, elements);
  }
  if (!is_zeroed<T>()) {
    std::uninitialized_value_construct(elements + len, elements + room);
  }
  elements_made(elements, room);
  return {elements, room};
}

/// Where `s` goes on with `needed` elements: in place, or in a new array.
template <class T>
Grown<T> make_room(const Slice<T>& s, size_t needed) {
  return __builtin_expect(needed > s.cap(), 0)
             ? grow_elements<T>(s.data(), s.len(), s.cap(), needed)
             : Grown<T>{s.data(), s.cap()};
}

}  // namespace internal

/// A slice of the elements of `s` and `values` behind them: in place where there is room, so that
/// what else shares the array sees them; otherwise in a new array. Use it as `s = append(s, x)`.
template <class T, std::convertible_to<T>... Values>
  requires(!(std::same_as<Values, Slice<T>> && ...) || sizeof...(Values) == 0)
[[nodiscard]] Slice<T> append(const Slice<T>& s, const Values&... values) {
  size_t len = s.len() + sizeof...(values);
  internal::Grown<T> array = internal::make_room(s, len);
  if constexpr (sizeof...(values) > 0) {
    // All are read first: some may be elements that others take the places of.
    T read[] = {static_cast<T>(values)...};
    std::move(std::begin(read), std::end(read), array.elements + s.len());
  }
  return Slice<T>(array.elements, len, array.cap);
}

/// append(s, other...): the elements of a slice, or of another contiguous range of Ts such as a
/// vector or a span. May overlap.
template <class T, std::ranges::contiguous_range R>
  requires(std::same_as<R, Slice<T>> || (!std::convertible_to<R, T> && !std::is_array_v<R> &&
                                         std::same_as<std::ranges::range_value_t<R>, T>))
[[nodiscard]] Slice<T> append(const Slice<T>& s, const R& other) {
  const T* from = std::ranges::data(other);
  size_t len = s.len() + std::ranges::size(other);
  internal::Grown<T> array = internal::make_room(s, len);
  internal::move_elements(array.elements + s.len(), from, len - s.len());
  return Slice<T>(array.elements, len, array.cap);
}

/// Copies as many elements as both have, which may overlap; returns their number.
template <class T>
size_t copy(const Slice<T>& to, const Slice<T>& from) {
  size_t n = std::min(to.len(), from.len());
  internal::move_elements(to.data(), static_cast<const T*>(from.data()), n);
  return n;
}

template <class T>
Slice<T>::Slice(std::initializer_list<T> values) : Slice(make_slice<T>(values.size())) {
  internal::move_elements(data(), values.begin(), values.size());
}

}  // namespace burrow

/// Elements outlive the slice that led to them.
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<burrow::Slice<T>> =  // NOLINT
    true;
