// What is to happen when an object is unreachable. See specials.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace burrow::gc {

enum class SpecialKind : uint8_t {
  kDestroy,  ///< run the object's destructor; the object and what it reaches stay until then
  kCleanup,  ///< call a function with an argument of its own; the object may be gone by then
  kWeak,     ///< clear a weak pointer's target
  kSample,   ///< tell the profiler
};

/// One of them. The object's address is kept complemented, so that it is no root.
struct Special {
  Address hidden_object = 0;
  void (*function)(void*) = nullptr;  ///< kDestroy: gets the object; kCleanup: gets `argument`
  void* argument = nullptr;           ///< kWeak: the cell (std::atomic<Address>*) to be cleared
  uint64_t id = 0;                    ///< of a kCleanup
  uint64_t serial : 56 = 0;           ///< rises with each that is added
  SpecialKind kind : 8 = SpecialKind::kDestroy;

  [[nodiscard]] Address object() const { return ~hidden_object; }
};

static_assert(sizeof(Special) == 40);

}  // namespace burrow::gc
