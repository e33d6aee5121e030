// Stacks of the calling thread. See prof.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::prof {

/// Deepest stack that is recorded; what lies further out is cut off.
inline constexpr size_t kMaxDepth = 128;

/// Stores return addresses less one, innermost first, without Burrow's own frames; returns their
/// number. Never allocates from the heap; 0 when called from inside itself.
[[nodiscard]] size_t capture_stack(std::span<uintptr_t> pcs);

/// Runs the unwinder once, so that what it sets up at first use is done before it matters.
void prime_unwinder();

/// True for addresses of the library that Burrow is in, when that is not the program itself.
[[nodiscard]] bool is_own_code(uintptr_t pc);

}  // namespace burrow::prof
