// The profiler's hooks. See hooks.h.
#include "heap/hooks.h"

#include <atomic>
#include <utility>

#include "heap/heap_internal.h"
#include "heap/mcache.h"
#include "heap/sampling.h"

namespace burrow::heap {

constinit std::atomic<uint32_t> g_sampling_epoch{1};

namespace {

constinit std::atomic<const ProfilerHooks*> g_hooks{nullptr};
constinit std::atomic<const ForeignHooks*> g_foreign{nullptr};
constinit std::atomic<const CollectorHooks*> g_collector{nullptr};
constinit std::atomic<void (*)(HeapStats& stats)> g_stack_figures{nullptr};
constinit thread_local bool t_throws = false;

}  // namespace

void install_profiler_hooks(const ProfilerHooks* hooks) {
  // Release: pairs with the acquire in profiler_hooks.
  g_hooks.store(hooks, std::memory_order_release);
  refresh_sampling();
}

const ProfilerHooks* profiler_hooks() {
  return g_hooks.load(std::memory_order_acquire);
}

void install_foreign_hooks(const ForeignHooks* hooks) {
  // Release: pairs with the acquire in foreign_owner.
  g_foreign.store(hooks, std::memory_order_release);
}

const ForeignHooks* foreign_owner(const void* block) {
  const ForeignHooks* hooks = g_foreign.load(std::memory_order_acquire);
  return hooks != nullptr && hooks->owns(block) ? hooks : nullptr;
}

void install_stack_figures(void (*add)(HeapStats& stats)) {
  // Release: pairs with the acquire in add_stack_figures.
  g_stack_figures.store(add, std::memory_order_release);
}

void add_stack_figures(HeapStats& stats) {
  if (auto* add = g_stack_figures.load(std::memory_order_acquire); add != nullptr) {
    add(stats);
  }
}

void install_collector_hooks(const CollectorHooks* hooks) {
  // Release: pairs with the acquire in collector_hooks.
  g_collector.store(hooks, std::memory_order_release);
}

const CollectorHooks* collector_hooks() {
  return g_collector.load(std::memory_order_acquire);
}

void refresh_sampling() {
  g_sampling_epoch.fetch_add(1, std::memory_order_relaxed);
  if (!t_heap.busy) {
    CacheHold hold;
    t_heap.cache->revoke_credit();
  }
}

bool mute_sampling(bool muted) {
  MCache* cache = current_cache();
  if (cache == nullptr || t_heap.busy) {
    return false;
  }
  CacheHold hold;
  cache->revoke_credit();
  return std::exchange(cache->muted, muted);
}

void throw_when_out_of_memory() {
  t_throws = true;
}

bool throws_when_out_of_memory() {
  return t_throws;
}

int64_t draw_sample_distance() {
  const ProfilerHooks* hooks = profiler_hooks();
  if (hooks == nullptr || hooks->next_sample_distance == nullptr) {
    return INT64_MAX;
  }
  return hooks->next_sample_distance();
}

}  // namespace burrow::heap
