// Hardened mode (BURROW_DEBUG=hardened=1): canaries, quarantine and guard pages.
//
// Every block carries a trailer behind the user's bytes: its exact size, where it was allocated
// and where it was freed, under a seal; the gap before the trailer is filled with a canary. A freed
// block is filled with kFreedByte and waits in a quarantine; when it leaves, the filling must be
// whole. One allocation in `guard=N` (default 64) gets pages of its own that end at a page without
// access, and loses all access when it is freed. Caches are not used, so every call takes the slow
// path.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/annotations.h"
#include "base/mutex.h"

namespace burrow::heap {

struct MSpan;

BURROW_HIDDEN extern constinit std::atomic<bool> g_hardened;

/// Relaxed: set once, before the first block.
inline bool hardened_on() {
  return g_hardened.load(std::memory_order_relaxed);
}

/// Reads BURROW_DEBUG; called by the heap's start.
void hardened_init();

/// As allocate_aligned.
[[nodiscard]] void* hardened_allocate(size_t size, size_t alignment);

/// Checks a block and puts it into quarantine. True: done. REQUIRES: `span` holds `p`.
bool hardened_free(MSpan* span, void* p);

/// The exact size that was asked for.
[[nodiscard]] size_t hardened_usable_size(const MSpan* span, const void* p);

/// Checks everything in quarantine: at exit.
void hardened_finish();

/// For fork.
Mutex& hardened_lock();

}  // namespace burrow::heap
