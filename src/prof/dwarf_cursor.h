// Reads DWARF's numbers one after the other, and never past the end. See prof.h, How 2.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace burrow::prof {

/// A place in a span of bytes. What lies past the end reads as zero and makes `ok` false.
class DwarfCursor {
 public:
  explicit DwarfCursor(std::span<const uint8_t> bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] bool at_end() const { return at_ == end_; }

  [[nodiscard]] std::span<const uint8_t> rest() const { return {at_, end_}; }

  template <typename T>
  T fixed() {
    T value{};
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  uint8_t byte() { return fixed<uint8_t>(); }

  uint64_t uleb() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t b = byte();
      value |= static_cast<uint64_t>(b & 0x7F) << shift;
      if ((b & 0x80) == 0) {
        return value;
      }
    }
    fail();
    return 0;
  }

  int64_t sleb() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64;) {
      uint8_t b = byte();
      value |= static_cast<uint64_t>(b & 0x7F) << shift;
      shift += 7;
      if ((b & 0x80) == 0) {
        bool negative = (b & 0x40) != 0 && shift < 64;
        return static_cast<int64_t>(negative ? value | ~uint64_t{0} << shift : value);
      }
    }
    fail();
    return 0;
  }

  /// The next `n` bytes; none when there are fewer.
  std::span<const uint8_t> take(uint64_t n) {
    if (static_cast<uint64_t>(end_ - at_) < n) {
      fail();
      return {};
    }
    std::span<const uint8_t> bytes{at_, static_cast<size_t>(n)};
    at_ += n;
    return bytes;
  }

 private:
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace burrow::prof
