// A text builder that never allocates: for messages from inside the allocator. See base.h.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace burrow {

/// A number that prints as 0x and hexadecimal digits.
struct Hex {
  uint64_t value;

  explicit constexpr Hex(uint64_t v) : value(v) {}

  explicit Hex(const void* p) : value(reinterpret_cast<uint64_t>(p)) {}
};

/// Builds one message in a caller's buffer. What does not fit is cut off and counted by
/// `truncated()`; nothing is ever allocated and no libc formatting is used, so it is safe in
/// signal handlers and under any lock.
class Printer {
 public:
  /// REQUIRES: `capacity` bytes at `buffer` outlive the printer.
  Printer(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {}

  Printer& operator<<(std::string_view text);

  Printer& operator<<(const char* text) { return *this << std::string_view(text); }

  Printer& operator<<(char c) { return *this << std::string_view(&c, 1); }

  Printer& operator<<(Hex hex);

  Printer& operator<<(const void* p) { return *this << Hex(p); }

  template <std::integral T>
  Printer& operator<<(T value) {
    if constexpr (std::signed_integral<T>) {
      return print_signed(static_cast<int64_t>(value));
    } else {
      return print_unsigned(static_cast<uint64_t>(value));
    }
  }

  [[nodiscard]] std::string_view text() const { return {buffer_, length_}; }

  [[nodiscard]] bool truncated() const { return truncated_; }

  void clear() {
    length_ = 0;
    truncated_ = false;
  }

  /// Writes the text to a file descriptor, all of it or as much as the descriptor takes.
  /// Keeps errno.
  void write_to(int fd) const;

 private:
  Printer& print_signed(int64_t value);
  Printer& print_unsigned(uint64_t value);

  char* buffer_;
  size_t capacity_;
  size_t length_ = 0;
  bool truncated_ = false;
};

/// A printer with its own buffer of N bytes.
template <size_t N>
class FixedPrinter : public Printer {
 public:
  FixedPrinter() : Printer(storage_, N) {}

  FixedPrinter(const FixedPrinter&) = delete;
  FixedPrinter& operator=(const FixedPrinter&) = delete;

 private:
  char storage_[N];
};

}  // namespace burrow
