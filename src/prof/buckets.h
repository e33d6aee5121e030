// Counts by allocation site, and the sampled blocks that are live. See prof.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::prof {

/// Counts one sampled allocation of `size` bytes at `block`; false when memory for it is out.
[[nodiscard]] bool record_alloc(void* block, size_t size, std::span<const uintptr_t> stack);

/// Counts the end of a block that record_alloc took. Unknown blocks are ignored.
void record_free(void* block);

/// One bucket's counts, for `for_each_bucket`. The stack lives for ever.
struct BucketView {
  std::span<const uintptr_t> stack;
  size_t size;
  uint64_t allocs;
  uint64_t frees;
};

/// Calls `visit` for each bucket, the newest first, with a consistent view of it, outside the
/// tables' lock: it may allocate.
void for_each_bucket(void (*visit)(void* argument, const BucketView& view), void* argument);

/// About how many buckets there are.
[[nodiscard]] size_t bucket_count();

/// Bytes held from the OS.
[[nodiscard]] size_t bucket_memory();

}  // namespace burrow::prof
