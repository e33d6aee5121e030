// A number for each of some objects. See due_order.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "gc/tables.h"
#include "heap/arena.h"
#include "os/os.h"

namespace burrow::gc {

/// 0 until it is set. Takes memory where there are objects with numbers, and gives it back when it
/// goes. Ends the program when memory is out.
class ObjectNumbers {
 public:
  ObjectNumbers()
      : parts_((heap::arena_committed().bytes() >> kPartShift) + 1),
        part_(static_cast<uint32_t**>(map(parts_ * sizeof(uint32_t*)))) {}

  ~ObjectNumbers() {
    for (size_t i = 0; i < parts_; ++i) {
      if (part_[i] != nullptr) {
        os::unmap_memory(part_[i], kPartBytes);
      }
    }
    os::unmap_memory(part_, parts_ * sizeof(uint32_t*));
  }

  ObjectNumbers(const ObjectNumbers&) = delete;
  ObjectNumbers& operator=(const ObjectNumbers&) = delete;

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
    }
    part_[part][place(object)] = number;
  }

  [[nodiscard]] bool covers(Address object) const {
    return (object - heap::g_arena.base) >> kPartShift < parts_;
  }

 private:
  static constexpr unsigned kPartShift = 22;
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

  size_t parts_;
  uint32_t** part_;
};

}  // namespace burrow::gc
