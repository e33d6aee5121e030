// Slow paths of a thread's cache. See mcache.h.
#include "heap/mcache.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "heap/faults.h"
#include "heap/hooks.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "heap/sampling.h"
#include "os/os.h"

namespace burrow::heap {

constinit thread_local ThreadHeap t_heap;
constinit CacheRegistry g_caches;

namespace {

// A class's first load is twice this: a page, as fresh blocks are touched when they are taken; it
// doubles at each load.
uint32_t first_target(const ClassInfo& info) {
  return info.size == 0 ? 0 : std::clamp<uint32_t>(2048 / info.size, 1, 4);
}

// What stands in for the magazine of a class that has none yet: nothing to pop, no room to push.
constinit void* g_closed = bottom_block();

// Allocations between two looks of the slow path when no sample falls between. For large blocks a
// few times the usual distance, so that at the default rate most looks are samples.
uint64_t full_credit(SizeClass c) {
  return std::clamp<uint64_t>(kMiB / class_info(c).size, 8, 512);
}

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
    slot.top = slot.limit = &g_closed;
    slot.inverse = info.inverse;
    slot.credit = 0;
    cache->states[i].target = first_target(info);
  }
  cache->sample_epoch = sampling_epoch() - 1;
  cache->owner = os::thread_id();
  MutexLock hold(g_caches.lock);
  cache->next = g_caches.first;
  if (cache->next != nullptr) {
    cache->next->prev = cache;
  }
  g_caches.first = cache;
  g_caches.set_count(g_caches.count + 1);
  return cache;
}

void MCache::destroy(MCache* cache) {
  if (const CollectorHooks* hooks = collector_hooks();
      hooks != nullptr && cache->collected != nullptr) {
    hooks->cache_ends(cache->collected);
  }
  cache->flush();
  {
    MutexLock hold(g_caches.lock);
    for (size_t i = 1; i < kNumClasses; ++i) {
      g_caches.mallocs[i] += cache->mallocs_of(SizeClass(i));
      g_caches.frees[i] += cache->frees_of(SizeClass(i));
    }
    g_caches.hits += cache->runs.hits();
    g_caches.hit_bytes += cache->runs.hit_bytes();
    (cache->prev != nullptr ? cache->prev->next : g_caches.first) = cache->next;
    if (cache->next != nullptr) {
      cache->next->prev = cache->prev;
    }
    if (g_caches.next_to_look_at == cache) {
      g_caches.next_to_look_at = cache->next;
    }
    g_caches.set_count(g_caches.count - 1);
  }
  meta_free(cache, sizeof(MCache), MetaKind::kCache);
}

// A thread's end goes unnoticed when it is made by the system call, when its cache was made in the
// last round of its exit handlers, or when the system had no handler left.
void MCache::bury_dead(const MCache* self) {
  constexpr int kLooks = 2;  // more than the one cache that came, so that the dead ones get fewer
  for (int i = 0; i < kLooks; ++i) {
    MCache* dead = nullptr;
    {
      MutexLock hold(g_caches.lock);
      MCache* c = g_caches.next_to_look_at != nullptr ? g_caches.next_to_look_at : g_caches.first;
      g_caches.next_to_look_at = c->next;
      if (c != self && c->owner != 0 && !os::thread_exists(c->owner)) {
        c->owner = 0;
        dead = c;
      }
    }
    if (dead != nullptr) {
      destroy(dead);
    }
  }
}

bool MCache::ready(SizeClass c) {
  SlotState& state = states[c.value];
  if (state.loaded == nullptr) {
    state.loaded = Magazine::create(c);
    if (state.loaded == nullptr) {
      return false;
    }
    open(c, 0);
  }
  return true;
}

// Blocks in the loaded magazine.
size_t MCache::loaded_count(SizeClass c) const {
  return static_cast<size_t>(slots[c.value].top - states[c.value].loaded->bottom());
}

// Lets the fast paths at the loaded magazine, which holds `count` blocks.
void MCache::open(SizeClass c, size_t count) {
  slots[c.value].top = states[c.value].loaded->bottom() + count;
  slots[c.value].limit = states[c.value].loaded->limit();
}

// REQUIRES: there is a previous magazine.
void MCache::swap_magazines(SizeClass c) {
  SlotState& state = states[c.value];
  state.loaded->count = static_cast<uint32_t>(loaded_count(c));
  std::swap(state.loaded, state.previous);
  open(c, state.loaded->count);
}

// Fills the empty loaded magazine: with the previous one's blocks, a full one of the depot, or
// blocks of spans. False when memory is out.
bool MCache::find_blocks(SizeClass c) {
  SlotState& state = states[c.value];
  if (state.previous != nullptr && state.previous->count > 0) {
    swap_magazines(c);
    return true;
  }
  age(c);
  MCentral& central = central_of(c);
  size_t count = 0;
  if (Magazine* full = central.exchange_empty(state.loaded); full != nullptr) {
    state.loaded = full;
    count = full->count;
  } else {
    state.target = std::min<uint32_t>(state.target * 2, state.loaded->capacity);
    count = central.take(state.loaded->slots(), state.target);
  }
  state.taken += count;
  open(c, count);
  return count > 0;
}

// Draws the sample distance anew when the sampling rate has changed.
void MCache::refresh_distance() {
  if (sample_epoch != sampling_epoch()) {
    sample_epoch = sampling_epoch();
    sample_distance = draw_sample_distance();
  }
}

// Gives a class without credit new credit, which ends before the next sample.
void MCache::grant(SizeClass c) {
  SlotState& state = states[c.value];
  size_t size = class_info(c).size;
  uint64_t count = full_credit(c);
  refresh_distance();
  auto distance = static_cast<uint64_t>(sample_distance);
  if (muted) {
    count = 1;  // nothing is charged while the profiler itself allocates
  } else if (distance < count * size) {
    count = distance / size;
    state.due = true;
    // Spacing is exponential, so a fresh draw is right for whatever comes next, on any class.
    sample_distance = draw_sample_distance();
  } else {
    sample_distance -= static_cast<int64_t>(count * size);
  }
  state.granted += count + overdrawn(c);
  slots[c.value].credit = count;
}

// The credit that is left. Also for figures, which read it while its thread changes it.
BURROW_NO_TSAN uint64_t MCache::credit_of(SizeClass c) const {
  auto credit = static_cast<int64_t>(slots[c.value].credit);
  return credit < 0 ? 0 : static_cast<uint64_t>(credit);
}

// What signal handlers took after an allocation had found no credit, before its slow path looked.
uint64_t MCache::overdrawn(SizeClass c) const {
  uint64_t credit = slots[c.value].credit;
  return static_cast<int64_t>(credit) < 0 ? kNoCredit - credit : 0;
}

// Pays for one allocation; false when it is one to sample.
bool MCache::take_credit(SizeClass c) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  if (credit_of(c) == 0) {
    bool due = std::exchange(state.due, false);
    if (due && muted) {
      due = false;
    }
    grant(c);
    if (due) {
      return false;
    }
    if (slot.credit == 0) {
      state.due = false;
      grant(c);
      return false;
    }
  }
  --slot.credit;
  return true;
}

void MCache::revoke_credit() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    states[i].granted += overdrawn(SizeClass(i)) - credit_of(SizeClass(i));
    states[i].due = false;
    slots[i].credit = 0;
  }
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

void* MCache::quick_refill(SizeClass c) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  if (credit_of(c) == 0) {
    uint64_t bytes = full_credit(c) * class_info(c).size;
    if (state.due || muted || sample_epoch != sampling_epoch() ||
        static_cast<uint64_t>(sample_distance) < bytes) {
      return nullptr;
    }
    grant(c);
  }
  if (slot.top == &g_closed) {
    return nullptr;
  }
  if (slot.top == state.loaded->bottom()) {
    if (state.previous == nullptr || state.previous->count == 0) {
      return nullptr;
    }
    swap_magazines(c);
  }
  --slot.credit;
  return *slot.top--;
}

MCache::Refill MCache::refill(SizeClass c) {
  SlotState& state = states[c.value];
  ClassSlot& slot = slots[c.value];
  if (!take_credit(c)) {
    if (void* p = std::exchange(state.spare, nullptr); p != nullptr) {
      ++state.granted;
      return {p, true};
    }
    if (void* p = sampled_central_of(c).take_one(); p != nullptr) {
      ++state.granted;
      ++state.taken;
      return {p, true};
    }
    // No memory for a span of sampled blocks: an unsampled one must do.
    ++state.granted;
  }
  void* p = nullptr;
  if (!ready(c)) {
    p = central_of(c).take_one();
    state.taken += p != nullptr ? 1 : 0;
  } else if (slot.top != state.loaded->bottom() || find_blocks(c)) {
    p = *slot.top--;
  }
  if (p == nullptr) {
    --state.granted;  // paid for in vain
  }
  return {p, false};
}

// Puts an empty magazine in the place of the full loaded one; false when memory for it is out.
bool MCache::make_room(SizeClass c) {
  SlotState& state = states[c.value];
  if (state.previous == nullptr) {
    state.previous = Magazine::create(c);
    if (state.previous == nullptr) {
      return false;
    }
  } else if (state.previous->count > 0) {
    age(c);
    state.given += state.previous->count;
    state.previous = central_of(c).exchange_full(state.previous);
  }
  swap_magazines(c);
  return true;
}

void MCache::overflow(SizeClass c, void* block) {
  ClassSlot& slot = slots[c.value];
  if (ready(c) && (push_to_slot(slot, block) || (make_room(c) && push_to_slot(slot, block)))) {
    return;
  }
  *static_cast<uintptr_t*>(block) = free_mark(block);
  ++states[c.value].given;
  central_of(c).put_back(&block, 1);
}

bool MCache::keep_spare(SizeClass c, void* block) {
  SlotState& state = states[c.value];
  if (state.spare != nullptr) {
    return false;
  }
  state.spare = block;
  return true;
}

// Looks at the next class in turn; `in_use` is the one that is being traded. REQUIRES: the cache is
// held, and no lock.
void MCache::age(SizeClass in_use) {
  SizeClass c(age_next);
  age_next = static_cast<uint8_t>(age_next % (kNumClasses - 1) + 1);
  if (c == in_use) {
    return;
  }
  if (age_next == 1) {
    if (runs.idle()) {
      g_mheap.free_spans(runs.steal(nullptr));
    }
    if (!g_faults.no_passing_looks) {
      g_mheap.scavenge_in_passing();
    }
  }
  SlotState& state = states[c.value];
  if (state.loaded != nullptr) {
    uint64_t seen = mallocs_of(c) + frees_of(c);
    if (std::exchange(state.seen, seen) != seen) {
      return;
    }
    flush_class(c);
  }
  central_of(c).age();
}

void MCache::flush_class(SizeClass c) {
  SlotState& state = states[c.value];
  if (void* p = std::exchange(state.spare, nullptr); p != nullptr) {
    ++state.given;
    sampled_central_of(c).put_back(&p, 1);
  }
  if (state.loaded == nullptr) {
    return;
  }
  state.target = first_target(class_info(c));
  state.loaded->count = static_cast<uint32_t>(loaded_count(c));
  slots[c.value].top = slots[c.value].limit = &g_closed;
  for (Magazine** at : {&state.loaded, &state.previous}) {
    if (Magazine* m = std::exchange(*at, nullptr); m != nullptr) {
      central_of(c).put_back(m->slots(), m->count);
      state.given += m->count;
      Magazine::destroy(m, c);
    }
  }
}

void MCache::flush() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    flush_class(SizeClass(i));
  }
  g_mheap.free_spans(runs.steal(nullptr));
}

void MCache::keep_run(MSpan* span) {
  PageCount most = g_caches.run_budget.load(std::memory_order_relaxed);
  if (!span->has_own_mapping() && span->pages <= most) {
    g_mheap.free_spans(runs.make_place(span->pages, most));
    runs.keep(runs.place_for(span->pages, most), span);
  } else {
    g_mheap.free_span(span);
  }
}

BURROW_NO_TSAN size_t MCache::cached_of(SizeClass c) const {
  // Read without synchronisation by other threads: a figure, see HeapStats.
  const SlotState& state = states[c.value];
  const ClassSlot& slot = slots[c.value];
  size_t n = state.spare != nullptr ? 1 : 0;
  if (state.loaded != nullptr && slot.top > state.loaded->bottom()) {
    n += static_cast<size_t>(slot.top - state.loaded->bottom());
  }
  if (state.previous != nullptr) {
    n += state.previous->count;
  }
  return n;
}

BURROW_NO_TSAN uint64_t MCache::mallocs_of(SizeClass c) const {
  return states[c.value].granted - credit_of(c);
}

// What came in by free: everything that is here or went to the central, less what came from there
// and is not with the program.
BURROW_NO_TSAN uint64_t MCache::frees_of(SizeClass c) const {
  const SlotState& state = states[c.value];
  return state.given + cached_of(c) + mallocs_of(c) - state.taken;
}

namespace {

void check_marks(void* const* blocks, size_t count) {
  for (size_t k = 0; k < count; ++k) {
    if (*static_cast<uintptr_t*>(blocks[k]) != free_mark(blocks[k])) {
      report_write_after_free(blocks[k]);
    }
  }
}

}  // namespace

void MCache::verify() {
  for (size_t i = 1; i < kNumClasses; ++i) {
    SizeClass c(i);
    const SlotState& state = states[i];
    check_marks(&state.spare, state.spare != nullptr ? 1 : 0);
    if (state.loaded == nullptr) {
      CHECK(state.previous == nullptr && slots[i].top == &g_closed);
      continue;
    }
    CHECK(loaded_count(c) <= state.loaded->capacity && slots[i].limit == state.loaded->limit());
    CHECK(mallocs_of(c) + state.given + cached_of(c) >= state.taken);
    check_marks(state.loaded->slots(), loaded_count(c));
    if (state.previous != nullptr) {
      CHECK(state.previous->count == 0 || state.previous->count == state.previous->capacity);
      check_marks(state.previous->slots(), state.previous->count);
    }
  }
}

}  // namespace burrow::heap
