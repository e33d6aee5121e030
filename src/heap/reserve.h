// The reserve: memory for signal handlers that interrupt the allocator, and handlers of fork. See
// mcache.h, "Signals".
#pragma once

#include <cstddef>

namespace burrow::heap {

/// A block of at most 64 KiB, aligned to 16 bytes, from a small lock-free pool of its own; null
/// when the request is larger or the pool is used up.
[[nodiscard]] void* reserve_allocate(size_t size);

/// True when the block came from the reserve.
[[nodiscard]] bool is_reserve_block(const void* p);

/// Gives a reserve block back. REQUIRES: is_reserve_block(p).
void reserve_free(void* p);

/// Usable bytes of a reserve block.
[[nodiscard]] size_t reserve_usable_size(const void* p);

/// Maps the pool. Called once by the heap's start.
void reserve_init();

}  // namespace burrow::heap
