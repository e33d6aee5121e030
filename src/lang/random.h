// Fair choices of select. See lang.h.
#pragma once

#include <cstdint>

namespace burrow::lang {

/// A number below `bound`, each equally likely (to within bound / 2^32).
[[nodiscard]] uint32_t random_below(uint32_t bound);

}  // namespace burrow::lang
