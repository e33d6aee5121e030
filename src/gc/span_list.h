// A growing array of spans, in memory of its own. See central.h.
#pragma once

#include <cstddef>

#include "heap/mspan.h"

namespace burrow::gc {

/// Never shrinks. Not thread-safe.
class SpanList {
 public:
  constexpr SpanList() = default;

  SpanList(const SpanList&) = delete;
  SpanList& operator=(const SpanList&) = delete;

  [[nodiscard]] size_t size() const { return size_; }

  heap::MSpan*& operator[](size_t i) { return data_[i]; }

  /// False when memory is out.
  [[nodiscard]] bool push(heap::MSpan* span) {
    if (size_ == capacity_ && !grow()) {
      return false;
    }
    data_[size_++] = span;
    return true;
  }

  /// REQUIRES: not empty.
  heap::MSpan* pop() { return data_[--size_]; }

  void clear() { size_ = 0; }

 private:
  [[nodiscard]] bool grow();

  heap::MSpan** data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace burrow::gc
