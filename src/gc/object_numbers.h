// A number for each of some objects. See due_order.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "gc/tables.h"
#include "heap/arena.h"
#include "os/os.h"

namespace burrow::gc {

/// 0 until it is set. Takes memory where there are objects with numbers. Ends the program when
/// memory is out.
class ObjectNumbers {
 public:
  constexpr ObjectNumbers() = default;

  /// For objects in what is committed of the arena now.
  void begin() {
    size_t parts = (heap::arena_committed().bytes() >> kPartShift) + 1;
    if (parts > parts_) {
      end(0);
      if (part_ != nullptr) {
        os::unmap_memory(part_, parts_ * sizeof(uint32_t*));
      }
      parts_ = parts;
      part_ = static_cast<uint32_t**>(map(parts * sizeof(uint32_t*)));
    }
  }

  /// REQUIRES: all numbers are 0 again. Gives memory back if it is for more than so many parts.
  void end(size_t most = kMostKept) {
    for (size_t i = 0; used_ > most && i < parts_; ++i) {
      if (part_[i] != nullptr) {
        os::unmap_memory(std::exchange(part_[i], nullptr), kPartBytes);
      }
    }
    used_ = used_ > most ? 0 : used_;
  }

  /// The object's; 0 too for one in a part of the arena that was committed since.
  [[nodiscard]] uint32_t get(Address object) const {
    size_t part = (object - heap::g_arena.base) >> kPartShift;
    return part < parts_ && part_[part] != nullptr ? part_[part][place(object)] : 0;
  }

  void set(Address object, uint32_t number) {
    size_t part = (object - heap::g_arena.base) >> kPartShift;
    CHECK(part < parts_);
    if (part_[part] == nullptr) {
      part_[part] = static_cast<uint32_t*>(map(kPartBytes));
      ++used_;
    }
    part_[part][place(object)] = number;
  }

  [[nodiscard]] bool covers(Address object) const {
    return (object - heap::g_arena.base) >> kPartShift < parts_;
  }

 private:
  static constexpr unsigned kPartShift = 22;
  static constexpr size_t kMostKept = 16;
  static constexpr size_t kPartBytes =
      (size_t{1} << (kPartShift - kGranuleShift)) * sizeof(uint32_t);

  static size_t place(Address object) {
    return granule_of(object) & ((size_t{1} << (kPartShift - kGranuleShift)) - 1);
  }

  static void* map(size_t bytes) {
    void* memory = os::map_memory(bytes);
    if (memory == nullptr) {
      fatal("out of memory for the collector's own lists");
    }
    return memory;
  }

  size_t parts_ = 0;
  size_t used_ = 0;  ///< parts with memory
  uint32_t** part_ = nullptr;
};

}  // namespace burrow::gc
