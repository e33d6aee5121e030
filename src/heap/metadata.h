// Memory for the heap's own descriptors: spans, magazines, caches. See mheap.h.
#pragma once

#include <cstddef>

#include "base/annotations.h"
#include "base/mutex.h"

namespace burrow::heap {

/// Who a descriptor belongs to, for the figures in MemStats.
enum class MetaKind : unsigned char { kSpan, kCache, kMagazine, kOther };
inline constexpr size_t kMetaKinds = 4;

/// Zeroed memory for a descriptor, rounded up to 64 bytes and aligned to it; null when memory is
/// out. At most 16 KiB. Lives outside the arena; what is given back is kept for the next of the
/// same size.
[[nodiscard]] void* meta_allocate(size_t bytes, MetaKind kind);

/// Gives a descriptor back. `bytes` and `kind` must be those of its allocation. The memory stays
/// readable: a stale pointer to a descriptor reads old data, not a fault.
void meta_free(void* p, size_t bytes, MetaKind kind);

/// Sets addresses aside for descriptors, so that a limit set later cannot starve them. Once, at
/// start.
void meta_reserve(size_t bytes);

/// Gives back what lies beyond the first `bytes` and is not in use. The bytes still set aside.
void meta_cut(size_t bytes);
[[nodiscard]] size_t meta_reserved();

/// Bytes in use by a kind, and bytes obtained from the OS for all kinds.
[[nodiscard]] size_t meta_in_use(MetaKind kind);
[[nodiscard]] size_t meta_from_os();

/// For fork.
Mutex& meta_lock();

}  // namespace burrow::heap
