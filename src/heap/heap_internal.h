// What the files behind heap.h share. See heap.h and mheap.h.
#pragma once

#include <cstddef>

#include "base/errno_scope.h"
#include "heap/mcache.h"

namespace burrow::heap {

/// The slow half of `allocate`. `popped` is what `pop_block` left: null when it was not asked, the
/// bottom of a magazine, or a damaged block, which ends the program.
[[nodiscard]] void* allocate_slow(size_t size, void* popped);

/// A block of a class by the slow path. `size` is what the caller asked for.
[[nodiscard]] void* allocate_class_slow(SizeClass c, size_t size, void* popped);

/// A block of whole pages. REQUIRES: alignment is a power of two.
[[nodiscard]] void* allocate_large(size_t size, size_t alignment);

/// The slow half of `deallocate`: everything that `push_block` refuses.
void deallocate_slow(void* p);

/// The same without the quick way for large blocks. REQUIRES: `p` is not null.
void deallocate_checked(void* p);

/// Frees a large block's span. REQUIRES: `p` is its start.
void free_large(MSpan* span, void* p);

/// Moves a large block to a longer span, page tables rather than bytes where that pays.
[[nodiscard]] void* grow_large(MSpan* span, size_t size);

/// The calling thread's cache, made at its first call; null when the thread is ending or memory
/// is out. REQUIRES: not in_operation().
[[nodiscard]] MCache* current_cache();

/// Readies the heap. Any thread, any time; cheap when done.
void heap_init();

/// Sends every depot and the calling thread's cache home, so that whole spans come free.
/// REQUIRES: the caller holds the cache.
void reclaim(MCache* cache);

/// Calls verify() now and then when BURROW_DEBUG=verify=1.
void maybe_verify();

/// Marks the calling thread as inside a slow path, and takes in what signal handlers freed
/// meanwhile. For what is not the scope of one function: `SlowScope` is the rule.
void begin_slow();
void end_slow();

/// Holds the calling thread's cache for a slow path. Also where the thread has no cache.
class SlowScope {
 public:
  SlowScope() { begin_slow(); }

  ~SlowScope() { end_slow(); }

  SlowScope(const SlowScope&) = delete;
  SlowScope& operator=(const SlowScope&) = delete;
};

/// True inside a signal handler that interrupted an operation of this thread on the heap, and
/// in handlers of fork: whatever lock there is may be this thread's.
inline bool in_operation() {
  return t_heap.busy && (t_heap.cache != nullptr || t_heap.inside);
}

}  // namespace burrow::heap
