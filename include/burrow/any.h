// Go's interface value: a value of any type, in two words.
//
//     burrow::Any a = 42;            // no allocation: up to 8 plain bytes lie in the Any itself
//     a = std::string("text");       // in a box on the collected heap
//     if (auto* s = a.try_as<std::string>()) ...
//
// Copies share the box, whose value never changes. An Any may be anywhere a pointer to a collected
// object may be.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "burrow/gc.h"
#include "burrow/internal/type.h"

namespace burrow {

/// What `Any::as` throws: what() is "interface conversion: interface is int, not double".
class BadAny : public std::bad_cast {
 public:
  /// Either may be null: for an Any without a value.
  BadAny(const Type* is, const Type* wanted) noexcept;

  [[nodiscard]] const char* what() const noexcept override { return text_; }

 private:
  char text_[256];
};

class Any;

namespace internal {

[[noreturn]] void throw_bad_any(const Type* is, const Type* wanted);
[[noreturn]] void panic_uncomparable(const Type* type);

/// As what a T is kept: arrays and functions as pointers, a Ptr<T> as T*.
template <class T>
struct AnyForm {
  using Value = T;
};

template <class T>
struct AnyForm<Ptr<T>> {
  using Value = T*;
};

template <class T>
using AnyFormOf = typename AnyForm<std::decay_t<T>>::Value;

}  // namespace internal

/// A value of any type, or none.
class Any {
 public:
  /// No value: Go's nil.
  constexpr Any() noexcept = default;

  constexpr Any(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  /// `value`, moved or copied. A string literal is kept as the pointer that it is: for its
  /// characters, give a std::string_view or std::string.
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Any> &&
             !std::is_same_v<std::remove_cvref_t<T>, std::nullptr_t> &&
             std::is_constructible_v<internal::AnyFormOf<T>, T>)
  Any(T&& value) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    using Value = internal::AnyFormOf<T>;
    // A pointer, not a number: the compiler's part follows it.
    void* word = nullptr;
    if constexpr (internal::kInWord<Value>) {
      Value copy(std::forward<T>(value));
      std::memcpy(&word, &copy, sizeof(Value));
    } else {
      word = make<Value>(std::forward<T>(value));
    }
    store(&internal::kType<Value>, word);
  }

  Any(const Any& other) noexcept { store(other.type_, other.word()); }

  Any& operator=(const Any& other) noexcept {  // NOLINT(bugprone-unhandled-self-assignment)
    store(other.type_, other.word());
    return *this;
  }

  ~Any() = default;

  /// The type of the value; null without one.
  [[nodiscard]] const Type* type() const noexcept { return type_; }

  [[nodiscard]] bool has_value() const noexcept { return type_ != nullptr; }

  /// The value, if it is a T (exactly: an int is no long); otherwise null. It lies in this Any, or
  /// in its box.
  template <class T>
  [[nodiscard]] const T* try_as() const noexcept {
    static_assert(std::is_same_v<T, internal::AnyFormOf<T>>, "an Any holds no such type");
    if (type_ != &internal::kType<T> && !holds(internal::kType<T>)) {
      return nullptr;
    }
    if constexpr (internal::kInWord<T>) {
      return std::launder(reinterpret_cast<const T*>(word_));
    } else {
      return static_cast<const T*>(word());
    }
  }

  /// The value; throws `BadAny` if it is no T. A reference where it lies in a box.
  template <class T>
  [[nodiscard]] std::conditional_t<internal::kInWord<T>, T, const T&> as() const {
    const T* value = try_as<T>();
    if (__builtin_expect(value == nullptr, 0)) {
      internal::throw_bad_any(type_, &internal::kType<T>);
    }
    return *value;
  }

  /// The same type and equal values, or both none. As in Go, two values of one type that has no
  /// operator== end the program.
  friend bool operator==(const Any& a, const Any& b) {
    if (a.type_ == nullptr || b.type_ == nullptr) {
      return a.type_ == b.type_;
    }
    if (*a.type_ != *b.type_) {
      return false;
    }
    if (a.type_->equal() == nullptr) {
      internal::panic_uncomparable(a.type_);
    }
    return a.type_->equal()(a.address(), b.address());
  }

  friend bool operator==(const Any& a, std::nullptr_t) { return a.type_ == nullptr; }

 private:
  friend struct type_map<Any>;

  [[nodiscard]] bool holds(const Type& type) const noexcept {
    return type_ != nullptr && *type_ == type;
  }

  [[nodiscard]] void* word() const noexcept {
    void* word = nullptr;
    std::memcpy(&word, word_, sizeof(word));
    return word;
  }

  [[nodiscard]] const void* address() const noexcept {
    return type_->in_word() ? static_cast<const void*>(word_) : word();
  }

  // The word may be a pointer, and the collector takes it for one: a number that looks like one may
  // keep an object, no more.
  void store(const Type* type, void* word) noexcept {
    word = internal::before_store(word);
    type_ = type;
    std::memcpy(word_, &word, sizeof(word));
  }

  const Type* type_ = nullptr;
  alignas(void*) unsigned char word_[sizeof(void*)] = {};
};

template <>
struct type_map<Any> {
  static constexpr internal::PointerMap kFields = internal::map_of_second_word();
  static constexpr bool kZeroed = true;
};

static_assert(sizeof(Any) == 2 * sizeof(void*));

}  // namespace burrow
