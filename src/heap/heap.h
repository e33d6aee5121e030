// The heap as the layers above see it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::heap {

/// All allocation functions return null when memory is out; none sets errno or throws.
[[nodiscard]] void* allocate(size_t size);
[[nodiscard]] void* allocate_zeroed(size_t size);
/// REQUIRES: `alignment` is a power of two.
[[nodiscard]] void* allocate_aligned(size_t alignment, size_t size);
/// Moves or resizes a block; on failure null is returned and the block is untouched.
/// REQUIRES: `block` is live and `size` > 0.
[[nodiscard]] void* reallocate(void* block, size_t size);
/// Frees a live block; null is ignored. Anything else ends the program with one line.
void deallocate(void* block);

/// What the size given to a sized free may differ by.
enum class SizeRule : uint8_t {
  kExact,         ///< operator delete: the size that was asked for
  kMayBeResized,  ///< free_sized: realloc may have left the block where it was
};

/// As deallocate; ends the program when `size` and `alignment` do not lead to the block's class.
void deallocate_sized(void* block, size_t size, size_t alignment, SizeRule rule);
/// Bytes that the caller may use of a live block.
[[nodiscard]] size_t usable_size(const void* block);

/// Returns as many free pages to the OS as possible (also those in caches); true if any.
bool release_memory();

/// Sets the hard limit on the memory the heap holds from the OS, in bytes (SIZE_MAX: none);
/// returns the previous one. BURROW_MEMLIMIT sets it at start.
size_t set_memory_limit(size_t bytes);
[[nodiscard]] size_t memory_limit();

/// To be called after RLIMIT_AS was changed: gives reserved addresses back that would leave the
/// program none. They are not taken again when the limit is lifted.
void fit_address_space_limit();

/// Checks every invariant of every layer of the heap; ends the program at the first broken one.
/// Other threads may go on.
void verify();

/// One line about an address for messages: "0x... (span 0x... of class 48, block 0x...+16)".
/// Writes at most `capacity` bytes without allocating; returns the length.
size_t describe(const void* address, char* buffer, size_t capacity);

}  // namespace burrow::heap
