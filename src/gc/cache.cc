// A thread's share of the collected heap. See cache.h.
#include "gc/cache.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/mutex.h"
#include "gc/numbers.h"
#include "gc/pacer.h"
#include "gc/sample.h"
#include "gc/settle.h"
#include "heap/heap_internal.h"
#include "heap/metadata.h"

namespace {

// What a thread has before its first object: no slot has room.
constinit std::array<burrow::internal::BumpSlot, burrow::gc::kSlots> g_no_slots{};

}  // namespace

extern "C" {
constinit thread_local burrow::internal::BumpSlot* burrow_gc_slots = g_no_slots.data();
}

namespace burrow::gc {

constinit thread_local ThreadState t_gc;

namespace {

constinit Mutex g_list_lock{LockRank::kCacheList};
constinit Cache* g_list BURROW_GUARDED_BY(g_list_lock) = nullptr;
constinit AllocationFigures g_ended BURROW_GUARDED_BY(g_list_lock);

void enlist(Cache* cache) {
  BusyScope busy;
  MutexLock hold(g_list_lock);
  cache->next = g_list;
  if (g_list != nullptr) {
    g_list->prev = cache;
  }
  g_list = cache;
}

void unlist(Cache* cache) {
  MutexLock hold(g_list_lock);
  (cache->prev != nullptr ? cache->prev->next : g_list) = cache->next;
  if (cache->next != nullptr) {
    cache->next->prev = cache->prev;
  }
  g_ended.bytes += cache->allocated_bytes;
  g_ended.objects += cache->allocated_objects;
}

}  // namespace

Cache* current_cache() {
  if (BURROW_LIKELY(t_gc.cache != nullptr)) {
    return t_gc.cache;
  }
  heap::MCache* owner = heap::current_cache();
  if (owner == nullptr) {
    return nullptr;
  }
  if (owner->collected == nullptr) {
    void* memory = heap::meta_allocate(sizeof(Cache), heap::MetaKind::kCache);
    if (memory == nullptr) {
      return nullptr;
    }
    auto* cache = new (memory) Cache;
    cache->set_number(take_number());
    enlist(cache);
    owner->collected = cache;
  }
  t_gc.cache = static_cast<Cache*>(owner->collected);
  burrow_gc_slots = t_gc.cache->slots.data();
  return t_gc.cache;
}

void unbind_cache() {
  t_gc.cache = nullptr;
  burrow_gc_slots = g_no_slots.data();
}

void end_cache(void* collected) {
  auto* cache = static_cast<Cache*>(collected);
  {
    BusyScope busy;
    cache->flush();
    if (cache->shaded != nullptr) {
      g_mark_pool.put_full(cache->shaded);
    }
    unlist(cache);
    give_number(cache->number());
  }
  if (t_gc.cache == cache) {
    unbind_cache();
  }
  heap::meta_free(cache, sizeof(Cache), heap::MetaKind::kCache);
}

// Gives a slot's span back, with the blocks of its run that were not handed out.
void Cache::drop_span(size_t slot, SizeClass c, ObjectKind kind) {
  heap::MSpan* span = spans[slot];
  internal::BumpSlot& run = slots[slot];
  if (run.next != run.end) {
    size_t size = heap::class_info(c).size;
    auto left = static_cast<size_t>(run.end - run.next);
    span->collected().cursor -= static_cast<uint32_t>(left / size);
    span->collected().live -= static_cast<uint32_t>(left / size);
    allocated_bytes -= left;
    allocated_objects -= left / size;
    g_pacer.note_unused(left);
  }
  run = {nullptr, nullptr};
  spans[slot] = nullptr;
  central_of(kind, c).release(span);
}

void Cache::flush() {
  for (size_t kind = 0; kind < internal::kObjectKinds; ++kind) {
    for (size_t c = 1; c < heap::kNumClasses; ++c) {
      size_t slot = internal::slot_index(static_cast<ObjectKind>(kind), c);
      if (spans[slot] != nullptr) {
        drop_span(slot, SizeClass(c), static_cast<ObjectKind>(kind));
      }
    }
  }
}

namespace {

// Among what is not marked may be what a destructor will use.
bool keeps_dead(const heap::MSpan* span) {
  return settling() && span->collected().epoch != g_epoch.load(std::memory_order_relaxed);
}

}  // namespace

void* Cache::refill(ObjectKind kind, SizeClass c) {
  size_t slot = internal::slot_index(kind, c.value);
  size_t size = heap::class_info(c).size;
  Run run;
  while (spans[slot] == nullptr || keeps_dead(spans[slot]) || !next_run(spans[slot], run)) {
    if (spans[slot] != nullptr) {
      central_of(kind, c).release(spans[slot]);
    }
    spans[slot] = central_of(kind, c).acquire();
    if (spans[slot] == nullptr) {
      slots[slot] = {nullptr, nullptr};
      return nullptr;
    }
  }
  if (sample_every_object() && run.end - run.start > size) {
    spans[slot]->collected().cursor -= static_cast<uint32_t>((run.end - run.start) / size - 1);
    run.end = run.start + size;
  }
  size_t bytes = run.end - run.start;
  auto* p = reinterpret_cast<char*>(run.start);
  if (spans[slot]->need_zero) {
    std::memset(p, 0, bytes);
  }
  slots[slot] = {p + size, p + bytes};
  allocated_bytes += bytes;
  allocated_objects += bytes / size;
  spans[slot]->collected().live += static_cast<uint32_t>(bytes / size);
  g_pacer.note_allocated(bytes);
  return p;
}

void gather_shaded() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  for (Cache* cache = g_list; cache != nullptr; cache = cache->next) {
    if (cache->shaded != nullptr && cache->shaded->count > 0) {
      g_mark_pool.put_full(cache->shaded);
      cache->shaded = nullptr;
    }
  }
}

namespace {

// The rest of a run. Its owner may be moving it.
BURROW_NO_TSAN size_t unused_bytes(const internal::BumpSlot& slot) {
  const char* next = slot.next;
  const char* end = slot.end;
  return next < end ? static_cast<size_t>(end - next) : 0;
}

template <typename F>
void for_each_class_slot(F f) {
  for (size_t kind = 0; kind < internal::kObjectKinds; ++kind) {
    for (size_t c = 1; c < heap::kNumClasses; ++c) {
      f(internal::slot_index(static_cast<ObjectKind>(kind), c), SizeClass(c));
    }
  }
}

}  // namespace

BURROW_NO_TSAN AllocationFigures allocation_figures_while_stopped()
    BURROW_NO_THREAD_SAFETY_ANALYSIS {
  AllocationFigures sum = g_ended;
  for (const Cache* cache = g_list; cache != nullptr; cache = cache->next) {
    // Read while their owners change them: figures.
    sum.bytes += cache->allocated_bytes;
    sum.objects += cache->allocated_objects;
    for_each_class_slot([&](size_t slot, SizeClass c) {
      size_t left = unused_bytes(cache->slots[slot]);
      sum.bytes -= left;
      sum.objects -= left / heap::class_info(c).size;
    });
  }
  return sum;
}

AllocationFigures allocation_figures() {
  BusyScope busy;
  MutexLock hold(g_list_lock);
  return allocation_figures_while_stopped();
}

RankedMutex& cache_list_lock() {
  return g_list_lock;
}

Cache* forget_other_caches() {
  BusyScope busy;
  MutexLock hold(g_list_lock);
  const heap::MCache* owner = heap::t_heap.cache;
  auto* own = owner == nullptr ? nullptr : static_cast<Cache*>(owner->collected);
  g_ended = allocation_figures_while_stopped();
  for (Cache* cache = std::exchange(g_list, nullptr); cache != nullptr; cache = cache->next) {
    if (cache != own) {
      size_t number = cache->number();
      cache->slots = {};
      cache->set_number(number);
      cache->spans = {};
      cache->shaded = nullptr;
    }
  }
  if (own != nullptr) {
    AllocationFigures rest = g_ended;
    own->prev = own->next = nullptr;
    g_list = own;
    g_ended = {};
    AllocationFigures mine = allocation_figures_while_stopped();
    g_ended = {rest.bytes - mine.bytes, rest.objects - mine.objects};
  }
  return own;
}

void count_unused_blocks(std::array<uint64_t, internal::kObjectClasses>& blocks) {
  BusyScope busy;
  MutexLock hold(g_list_lock);
  for (const Cache* cache = g_list; cache != nullptr; cache = cache->next) {
    for_each_class_slot([&](size_t slot, SizeClass c) {
      blocks[c.value] += unused_bytes(cache->slots[slot]) / heap::class_info(c).size;
    });
  }
}

}  // namespace burrow::gc
