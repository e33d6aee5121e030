// Random distances between samples. See prof.h.
#pragma once

#include <cstdint>

namespace burrow::prof {

/// Exponentially distributed with the given mean, from 64 uniform bits: a Poisson process over the
/// bytes allocated, as in Go.
[[nodiscard]] int64_t draw_distance(uint64_t bits, int64_t mean);

/// 64 uniform bits; not for secrets.
[[nodiscard]] uint64_t random_bits();

}  // namespace burrow::prof
