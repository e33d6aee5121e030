// A growing array outside the heap: what it holds is no root. See specials.h and roots.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "os/os.h"

namespace burrow::gc {

/// Of values that may be copied as bytes. Shrinks by `clear` only.
template <typename T>
class OutsideList {
 public:
  constexpr OutsideList() = default;

  /// Ends the program when memory is out.
  void push(const T& value) {
    if (size_ == capacity_) {
      grow();
    }
    data_[size_++] = value;
    most_ = std::max(most_, size_);
  }

  [[nodiscard]] size_t size() const { return size_; }

  T& operator[](size_t i) { return data_[i]; }

  const T& operator[](size_t i) const { return data_[i]; }

  /// REQUIRES: not more than there are.
  void resize(size_t size) { size_ = size; }

  /// REQUIRES: not empty.
  T& back() { return data_[size_ - 1]; }

  void pop() { --size_; }

  /// Drops all values; gives the memory back if it is much more than was used since the last call.
  void clear() {
    constexpr size_t kMuch = size_t{256} << 10;
    size_t used = std::exchange(most_, 0);
    size_ = 0;
    if (capacity_ * sizeof(T) > kMuch && capacity_ / 4 > used) {
      os::unmap_memory(data_, capacity_ * sizeof(T));
      data_ = nullptr;
      capacity_ = 0;
    }
  }

 private:
  void grow() {
    size_t capacity = std::max<size_t>(capacity_ * 2, 512);
    auto* data = static_cast<T*>(os::map_memory(capacity * sizeof(T)));
    if (data == nullptr) {
      fatal("out of memory for the collector's own lists");
    }
    if (data_ != nullptr) {
      std::memcpy(data, data_, size_ * sizeof(T));
      os::unmap_memory(data_, capacity_ * sizeof(T));
    }
    data_ = data;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t most_ = 0;  ///< values since the last `clear`
};

}  // namespace burrow::gc
