// include/burrow/gc.h over the collector. See api.h.
#include "burrow/gc.h"

#include <atomic>
#include <utility>

#include "base/annotations.h"
#include "gc/collector.h"
#include "gc/gc.h"
#include "gc/mapped_roots.h"
#include "gc/pacer.h"
#include "gc/specials.h"
#include "gc/tables.h"
#include "heap/heap.h"
#include "heap/mspan.h"
#include "sched/blocking.h"

namespace burrow {

BURROW_EXPORT void collect() {
  gc::start();
  sched::BlockingScope lend;
  gc::g_collector.collect();
}

BURROW_EXPORT int set_gc_percent(int percent) {
  gc::start();
  return gc::g_pacer.set_percent(percent);
}

BURROW_EXPORT bool declare_pointer_free(void* block) {
  heap::MSpan* span = heap::span_of(block);
  bool found = span != nullptr && span->state == heap::SpanState::kLarge &&
               span->first == reinterpret_cast<uintptr_t>(block);
  if (found) {
    span->whole.pointer_free = true;
  }
  return found;
}

BURROW_EXPORT void add_roots(const void* start, size_t bytes) {
  gc::start();
  gc::add_user_roots(reinterpret_cast<uintptr_t>(start), bytes);
}

BURROW_EXPORT bool remove_roots(const void* start) {
  return gc::remove_user_roots(reinterpret_cast<uintptr_t>(start));
}

BURROW_EXPORT void Cleanup::stop() {
  if (gc::stop_cleanup(std::exchange(id_, 0))) {
    drop_(call_);
  }
}

extern "C" BURROW_EXPORT void* burrow_gc_weak_get(const std::atomic<uintptr_t>* cell) {
  return reinterpret_cast<void*>(gc::ask_weak_cell(*reinterpret_cast<const gc::WeakCell*>(cell)));
}

namespace internal {

BURROW_EXPORT uint64_t add_cleanup(void* object, void (*function)(void*), void* argument) {
  return gc::add_special(gc::SpecialKind::kCleanup, object, function, argument);
}

BURROW_EXPORT std::atomic<uintptr_t>* new_weak_cell(void* object) {
  auto* cell = new (burrow_gc_allocate(sizeof(gc::WeakCell), ObjectKind::kNoscan)) gc::WeakCell{
      reinterpret_cast<uintptr_t>(object), gc::g_epoch.load(std::memory_order_relaxed)};
  gc::add_special(gc::SpecialKind::kWeak, object, nullptr, cell);
  return &cell->target;
}

BURROW_EXPORT void** new_root(void* object) {
  // Not operator new: a program may have brought its own, whose memory is no root.
  void* memory = heap::allocate(sizeof(void*));
  if (memory == nullptr) {
    gc::out_of_memory(sizeof(void*));
  }
  return new (memory) void*(object);
}

BURROW_EXPORT void delete_root(void** root) {
  heap::deallocate(root);
}

}  // namespace internal
}  // namespace burrow
