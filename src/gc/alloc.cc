// The slow paths behind `make`, and the barrier. See gc.h.
#include <cstring>

#include "base/check.h"
#include "burrow/internal/object.h"
#include "gc/cache.h"
#include "gc/cleanup.h"
#include "gc/collector.h"
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/large.h"
#include "gc/sample.h"
#include "gc/specials.h"
#include "heap/mheap.h"
#include "os/stop.h"

namespace burrow::gc {

void out_of_memory(size_t bytes) {
  FixedPrinter<256> out;
  out << "fatal error: out of memory: make of " << bytes << " bytes with "
      << heap::g_mheap.figures().used << " bytes in use; raise the memory limit or keep less\n";
  out.write_to(2);
  exit_now(2);
}

namespace {

// Nobody but the caller's registers knows the object while it is zeroed. A marker that comes
// meanwhile may read what an earlier object left, as it may in any memory it does not know exactly.
void* try_allocate_large(size_t bytes, ObjectKind kind) {
  size_t dirty_bytes = 0;
  void* p = nullptr;
  {
    BusyScope busy;
    p = allocate_large(bytes, kind, dirty_bytes);
  }
  if (p != nullptr && dirty_bytes != 0) {
    std::memset(p, 0, dirty_bytes);
  }
  return p;
}

void* try_allocate(size_t bytes, ObjectKind kind, size_t& run_bytes) {
  if (bytes > internal::kMaxSmallObject) {
    run_bytes = bytes;
    return try_allocate_large(bytes, kind);
  }
  BusyScope busy;
  Cache* cache = current_cache();
  if (cache == nullptr) {
    return nullptr;
  }
  SizeClass c(internal::object_class(bytes));
  void* p = cache->refill(kind, c);
  internal::BumpSlot& slot = cache->slots[internal::slot_index(kind, c.value)];
  run_bytes = p == nullptr ? 0 : static_cast<size_t>(slot.end - static_cast<char*>(p));
  return p;
}

// For whoever allocates while a cycle is due or marks.
void pay(size_t run_bytes) {
  if (stress()) {
    g_collector.collect();
    return;
  }
  if (burrow_gc_marking != 0) {
    assist(run_bytes);
  } else if (g_pacer.due()) {
    wait_for_cleanups(g_collector.marked_cycles());
    g_collector.request();
  }
  hold_back();
  os::stop_if_asked();
}

[[gnu::noinline]] void describe_many(Address at, const internal::TypeInfo& type, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    write_pointers(at + i * type.size, type.pointers, type.size / sizeof(void*));
  }
}

}  // namespace
}  // namespace burrow::gc

namespace gc = burrow::gc;
using burrow::internal::ObjectKind;
using burrow::internal::TypeInfo;

void* burrow_gc_allocate(size_t bytes, ObjectKind kind) {
  gc::start();
  size_t run_bytes = 0;
  if (bytes > PTRDIFF_MAX) {
    gc::out_of_memory(bytes);
  }
  void* p = gc::try_allocate(bytes, kind, run_bytes);
  if (p == nullptr) {
    gc::g_collector.collect();
    p = gc::try_allocate(bytes, kind, run_bytes);
    if (p == nullptr) {
      gc::out_of_memory(bytes);
    }
  }
  gc::charge_run(p, bytes, run_bytes);
  gc::pay(run_bytes);
  return p;
}

void burrow_gc_describe(void* object, const TypeInfo* type, size_t count) {
  if (type->kind != ObjectKind::kExact) {
    return;
  }
  auto at = reinterpret_cast<burrow::Address>(object);
  if (BURROW_LIKELY(count == 1)) {
    gc::write_pointers(at, type->pointers, type->size / sizeof(void*));
  } else {
    gc::describe_many(at, *type, count);
  }
}

void* burrow_gc_new(size_t bytes, const TypeInfo* type) {
  void* p = burrow::internal::allocate_sized(bytes, type->kind);
  burrow_gc_describe(p, type, 1);
  return p;
}

void* burrow_gc_new_array(size_t count, const TypeInfo* type) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, type->size, &bytes) ||
      __builtin_add_overflow(bytes, 1, &bytes)) {
    gc::out_of_memory(SIZE_MAX);
  }
  // One byte more: a pointer behind the last element is still a pointer to the array.
  void* p = burrow::internal::allocate_sized(bytes, type->kind);
  burrow_gc_describe(p, type, count);
  return p;
}

void burrow_gc_on_unreachable(void* object, void (*destroy)(void*)) {
  gc::add_special(gc::SpecialKind::kDestroy, object, destroy, nullptr);
  // Now, as what such objects own may be much larger than they are.
  if (burrow_gc_marking == 0 && gc::g_pacer.due()) {
    gc::pay(0);
  }
}

void burrow_gc_shade(void* value) {
  // A loop stores the same pointer again and again. Safe though the thread may be stopped here and
  // the chunk be another's then: the value is in a register, where the stop finds it.
  if (const gc::Cache* own = gc::t_gc.cache; own != nullptr && own->shaded != nullptr) {
    size_t last = own->shaded->count - 1;
    if (last < gc::WorkChunk::kCapacity &&
        own->shaded->items[last] == reinterpret_cast<burrow::Address>(value)) {
      return;
    }
  }
  gc::ObjectRef object = gc::find_object(reinterpret_cast<burrow::Address>(value));
  if (!object || gc::next_mark(object.start).get() || gc::g_faults.no_barrier) {
    return;
  }
  gc::BusyScope busy;
  if (burrow_gc_marking == 0) {
    return;  // the cycle ended before the thread was busy; its stack was looked through then
  }
  gc::Cache* cache = gc::current_cache();
  if (cache == nullptr) {
    burrow::fatal("out of memory for a thread's part of the collected heap");
  }
  gc::WorkChunk* chunk = cache->shaded;
  if (chunk == nullptr) {
    chunk = cache->shaded = gc::g_mark_pool.get_empty();
  }
  chunk->items[chunk->count++] = object.start;
  if (chunk->count == gc::WorkChunk::kCapacity) {
    gc::g_mark_pool.put_full(chunk);
    cache->shaded = nullptr;
  }
}
