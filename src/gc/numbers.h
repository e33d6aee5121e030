// Small numbers for those who allocate, so that layers above can keep something for each.
// See `internal::processor_number`.
#pragma once

#include <cstddef>

namespace burrow::gc {

/// The smallest number from 1 that nobody has; 0 when tens of thousands are taken.
[[nodiscard]] size_t take_number();

/// Gives it back; 0 is ignored.
void give_number(size_t number);

}  // namespace burrow::gc
