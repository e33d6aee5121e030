// Slow paths of a thread's cache. See mcache.h.
#include "heap/mcache.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "heap/hooks.h"
#include "heap/metadata.h"
#include "heap/report.h"
#include "heap/sampling.h"

namespace burrow::heap {

constinit thread_local MCache* t_cache = nullptr;
constinit thread_local MCache* t_owned = nullptr;
constinit CacheRegistry g_caches;

namespace {

constexpr uint32_t kFirstLoad = 8;

// Stands for the magazines of a class that has none yet: nothing to pop.
constinit void* g_closed = bottom_block();

}  // namespace

MCache* MCache::create() {
  void* memory = meta_allocate(sizeof(MCache), MetaKind::kCache);
  if (memory == nullptr) {
    return nullptr;
  }
  auto* cache = new (memory) MCache;
  for (size_t i = 0; i < kNumClasses; ++i) {
    const ClassInfo& info = kClasses[i];
    ClassSlot& slot = cache->slots[i];
    slot.free_end = slot.free_limit = nullptr;
    slot.inverse = info.size <= kMaxTinySize ? info.inverse : 0;
    cache->states[i].target = std::min<uint32_t>(kFirstLoad, info.magazine);
    slot.top = &g_closed;
  }
  cache->sample_epoch = sampling_epoch() - 1;
  MutexLock hold(g_caches.lock);
  cache->next = g_caches.first;
  if (cache->next != nullptr) {
    cache->next->prev = cache;
  }
  g_caches.first = cache;
  ++g_caches.count;
  return cache;
}

void MCache::destroy(MCache* cache) {
  cache->flush();
  {
    MutexLock hold(g_caches.lock);
    for (size_t i = 1; i < kNumClasses; ++i) {
      g_caches.mallocs[i] += cache->mallocs_of(SizeClass(i));
      g_caches.frees[i] += cache->frees_of(SizeClass(i));
    }
    (cache->prev != nullptr ? cache->prev->next : g_caches.first) = cache->next;
    if (cache->next != nullptr) {
      cache->next->prev = cache->prev;
    }
    --g_caches.count;
  }
  meta_free(cache, sizeof(MCache), MetaKind::kCache);
}

bool MCache::ready_magazines(SizeClass c) {
  SlotState& state = states[c.value];
  if (state.pops == nullptr) {
    state.pops = Magazine::create(c);
    if (state.pops != nullptr) {
      slots[c.value].top = state.pops->bottom();
    }
  }
  if (state.pushes == nullptr) {
    state.pushes = Magazine::create(c);
    if (state.pushes != nullptr) {
      open_pushes(c);
    }
  }
  return state.pops != nullptr && state.pushes != nullptr;
}

// Blocks in the push magazine.
size_t MCache::pushed(SizeClass c) const {
  return static_cast<size_t>(slots[c.value].free_end - states[c.value].pushes->slots());
}

void MCache::open_pushes(SizeClass c) {
  slots[c.value].free_end = states[c.value].pushes->slots();
  slots[c.value].free_limit = states[c.value].pushes->end();
}

// Makes the freed blocks the ones to pop; returns their number. REQUIRES: nothing to pop.
size_t MCache::swap_magazines(SizeClass c) {
  SlotState& state = states[c.value];
  size_t count = pushed(c);
  if (count > 0) {
    std::swap(state.pops, state.pushes);
    slots[c.value].top = state.pops->bottom();
    state.unloaded += count;
    open_pushes(c);
  }
  return count;
}

// Finds blocks for the empty pop magazine: the thread's own freed ones, a full magazine from the
// depot, blocks from spans. Returns their number.
size_t MCache::find_blocks(SizeClass c) {
  SlotState& state = states[c.value];
  MCentral& central = central_of(c);
  state.target = std::min<uint32_t>(state.target * 2, state.pops->capacity);
  size_t count = swap_magazines(c);
  if (count == 0) {
    if (Magazine* full = central.exchange_empty(state.pops); full != nullptr) {
      state.pops = full;
      slots[c.value].top = full->bottom();
      return full->count;
    }
  }
  // A thread that turns over few blocks gets more, so that its slow paths become rare.
  if (count < state.target / 2) {
    count += central.take(state.pops->slots() + count, state.target - count);
  }
  return count;
}

// Draws the sample distance anew when the sampling rate has changed.
void MCache::refresh_distance() {
  if (sample_epoch != sampling_epoch()) {
    sample_epoch = sampling_epoch();
    sample_distance = draw_sample_distance();
  }
}

// Makes `count` blocks in the pop magazine available up to the next sample, and holds the rest.
void MCache::arm(SizeClass c, size_t count) {
  SlotState& state = states[c.value];
  size_t size = class_info(c).size;
  size_t open = count;
  refresh_distance();
  if (muted) {
    // Nothing is charged while the profiler itself allocates.
  } else if (static_cast<size_t>(sample_distance) < count * size) {
    open = static_cast<size_t>(sample_distance) / size;
    // Spacing is exponential, so a fresh draw is right for whatever comes next, on any class.
    sample_distance = draw_sample_distance();
  } else {
    sample_distance -= static_cast<int64_t>(count * size);
  }
  state.held = static_cast<uint32_t>(count - open);
  state.held_from = static_cast<uint32_t>(open);
  slots[c.value].top = state.pops->bottom() + open;
}

bool MCache::charge(size_t bytes) {
  refresh_distance();
  if (muted) {
    return false;
  }
  if (static_cast<int64_t>(bytes) < sample_distance) {
    sample_distance -= static_cast<int64_t>(bytes);
    return false;
  }
  sample_distance = draw_sample_distance();
  return true;
}

// Refills the empty pop magazine; `due` tells whether this very allocation is sampled.
void MCache::load(SizeClass c, bool& due) {
  SlotState& state = states[c.value];
  size_t count = state.held;
  if (count > 0) {
    due = !muted;
    void** first = state.pops->slots();
    std::copy(first + state.held_from, first + state.held_from + count, first);
  } else {
    count = find_blocks(c);
    state.loaded += count;
  }
  arm(c, count);
  if (!due && count > 0 && state.held == count) {
    due = true;
    arm(c, count);
  }
}

MCache::Refill MCache::refill(SizeClass c) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  if (!ready_magazines(c)) {
    return {central_of(c).take_one(), false};
  }
  bool due = false;
  if (slot.top == state.pops->bottom()) {
    load(c, due);
  }
  if (due) {
    if (void* p = sampled_central_of(c).take_one(); p != nullptr) {
      ++state.loaded;
      return {p, true};
    }
    // No memory for a span of sampled blocks: what is held must serve unsampled.
    bool was_muted = std::exchange(muted, true);
    if (slot.top == state.pops->bottom()) {
      load(c, due);
    }
    muted = was_muted;
  }
  if (slot.top == state.pops->bottom()) {
    return {};
  }
  return {*slot.top--, false};
}

void MCache::overflow(SizeClass c, void* block) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  if (!ready_magazines(c)) {
    *static_cast<uintptr_t*>(block) = free_mark(block);
    ++state.unloaded;
    central_of(c).put_back(&block, 1);
    return;
  }
  if (push_to_slot(slot, block, free_mark(block))) {
    return;
  }
  bool nothing_to_pop = slot.top == state.pops->bottom() && state.held == 0;
  if (nothing_to_pop) {
    size_t count = swap_magazines(c);
    state.loaded += count;
    arm(c, count);
  } else {
    size_t count = pushed(c);
    state.unloaded += count;
    state.pushes->count = static_cast<uint32_t>(count);
    state.pushes = central_of(c).exchange_full(state.pushes);
    open_pushes(c);
  }
  CHECK(push_to_slot(slot, block, free_mark(block)));
}

void MCache::flush_class(SizeClass c) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  MCentral& central = central_of(c);
  if (state.pushes != nullptr) {
    size_t count = pushed(c);
    state.unloaded += count;
    central.put_back(state.pushes->slots(), count);
    Magazine::destroy(std::exchange(state.pushes, nullptr), c);
    slot.free_end = slot.free_limit = nullptr;
  }
  if (state.pops != nullptr) {
    void** first = state.pops->slots();
    auto open = static_cast<size_t>(slot.top - state.pops->bottom());
    slot.top = &g_closed;
    central.put_back(first, open);
    central.put_back(first + state.held_from, state.held);
    state.loaded -= open + state.held;
    state.held = 0;
    Magazine::destroy(std::exchange(state.pops, nullptr), c);
  }
}

void MCache::flush() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    flush_class(SizeClass(i));
  }
}

BURROW_NO_TSAN size_t MCache::cached_of(SizeClass c) const {
  // Read without synchronisation by other threads: a figure, see HeapStats.
  const SlotState& state = states[c.value];
  const ClassSlot& slot = slots[c.value];
  size_t n = state.held;
  if (state.pops != nullptr && slot.top > state.pops->bottom()) {
    n += static_cast<size_t>(slot.top - state.pops->bottom());
  }
  if (state.pushes != nullptr && slot.free_end > state.pushes->slots()) {
    n += static_cast<size_t>(slot.free_end - state.pushes->slots());
  }
  return n;
}

BURROW_NO_TSAN uint64_t MCache::mallocs_of(SizeClass c) const {
  const SlotState& state = states[c.value];
  const ClassSlot& slot = slots[c.value];
  uint64_t n = state.loaded - state.held;
  if (state.pops != nullptr && slot.top > state.pops->bottom()) {
    n -= static_cast<uint64_t>(slot.top - state.pops->bottom());
  }
  return n;
}

BURROW_NO_TSAN uint64_t MCache::frees_of(SizeClass c) const {
  const SlotState& state = states[c.value];
  const ClassSlot& slot = slots[c.value];
  uint64_t n = state.unloaded;
  if (state.pushes != nullptr && slot.free_end > state.pushes->slots()) {
    n += static_cast<uint64_t>(slot.free_end - state.pushes->slots());
  }
  return n;
}

void MCache::verify() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    SlotState& state = states[i];
    const ClassSlot& slot = slots[i];
    if (state.pops == nullptr || state.pushes == nullptr) {
      continue;
    }
    auto open = static_cast<size_t>(slot.top - state.pops->bottom());
    auto pushed = static_cast<size_t>(slot.free_end - state.pushes->slots());
    CHECK(open <= state.pops->capacity && pushed <= state.pushes->capacity);
    CHECK(state.held == 0 || state.held_from + state.held <= state.pops->capacity);
    CHECK(state.held == 0 || open <= state.held_from);
    auto check = [](void* const* blocks, size_t count) {
      for (size_t k = 0; k < count; ++k) {
        if (*static_cast<uintptr_t*>(blocks[k]) != free_mark(blocks[k])) {
          report_write_after_free(blocks[k]);
        }
      }
    };
    check(state.pops->slots(), open);
    check(state.pops->slots() + state.held_from, state.held);
    check(state.pushes->slots(), pushed);
  }
}

}  // namespace burrow::heap
