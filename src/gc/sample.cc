// Samples of the collected heap. See sample.h.
#include "gc/sample.h"

#include <atomic>

#include "base/units.h"
#include "gc/specials.h"
#include "heap/heap_internal.h"
#include "heap/hooks.h"
#include "heap/sampling.h"

namespace burrow::gc {
namespace {

constexpr int64_t kFineRate = 64 * kKiB;

// Keys for the profiler's table of live blocks: odd, so that no block's address is among them.
constinit std::atomic<uintptr_t> g_next_key{1};

}  // namespace

bool sample_every_object() {
  // By the thread's own next distance: with a coarse rate it is seldom short, and then a run of one
  // object costs little.
  const heap::MCache* cache = heap::t_heap.cache;
  return cache != nullptr && cache->sample_distance < kFineRate / 8;
}

void charge_run(void* object, size_t object_size, size_t run_bytes) {
  heap::MCache* cache = heap::current_cache();
  if (cache == nullptr || !cache->charge(run_bytes)) {
    return;
  }
  const heap::ProfilerHooks* hooks = heap::profiler_hooks();
  if (hooks == nullptr || hooks->sampled_alloc == nullptr) {
    return;
  }
  auto* key = reinterpret_cast<void*>(g_next_key.fetch_add(2, std::memory_order_relaxed));
  cache->muted = true;
  bool taken = hooks->sampled_alloc(key, object_size);
  cache->muted = false;
  if (taken) {
    add_special(SpecialKind::kSample, object, nullptr, key);
  }
}

}  // namespace burrow::gc
