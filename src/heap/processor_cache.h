// Caches that belong to the scheduler's processors rather than to threads. See mcache.h.
#pragma once

namespace burrow::heap {

struct MCache;

/// A cache that no thread has yet; null when memory is out. It lives for ever.
[[nodiscard]] MCache* create_processor_cache();

/// Makes `cache` the calling thread's, in place of the one it used; null: the thread's own.
/// REQUIRES: no other thread uses `cache`; the caller is outside all operations of the heap.
void bind_cache(MCache* cache);

}  // namespace burrow::heap
