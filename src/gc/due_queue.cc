// Destructors and cleanups that are due. See due_queue.h.
#include "gc/due_queue.h"

#include "base/check.h"
#include "gc/cache.h"
#include "gc/marker.h"
#include "os/os.h"

namespace burrow::gc {

constinit DueQueue g_due;

void DueQueue::add_chunk() {
  void* memory = spare_;
  if (spare_ != nullptr) {
    spare_ = spare_->next;
    --spares_;
  } else {
    memory = os::map_memory(kChunkBytes);
  }
  if (memory == nullptr) {
    fatal("out of memory for the collector's own lists");
  }
  auto* chunk = static_cast<Chunk*>(memory);
  chunk->next = nullptr;
  chunk->first = chunk->end = 0;
  (last_ == nullptr ? first_ : last_->next) = chunk;
  last_ = chunk;
}

void DueQueue::drop_first() {
  Chunk* chunk = first_;
  first_ = chunk->next;
  last_ = first_ == nullptr ? nullptr : last_;
  if (spares_ < kMostSpare) {
    chunk->next = spare_;
    spare_ = chunk;
    ++spares_;
  } else {
    os::unmap_memory(chunk, kChunkBytes);
  }
}

void DueQueue::push(const Special* specials, size_t count) {
  BusyScope busy;
  MutexLock hold(lock_);
  for (size_t i = 0; i < count; ++i) {
    if (last_ == nullptr || last_->end == Chunk::kCapacity) {
      add_chunk();
    }
    last_->specials[last_->end++] = specials[i];
  }
  size_.fetch_add(count, std::memory_order_relaxed);
}

bool DueQueue::pop(Special& special, void*& object) {
  MutexLock hold(lock_);
  if (first_ == nullptr) {
    return false;
  }
  special = first_->specials[first_->first++];
  object =
      special.kind == SpecialKind::kDestroy ? reinterpret_cast<void*>(special.object()) : nullptr;
  if (first_->first == first_->end) {
    drop_first();
  }
  size_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void DueQueue::mark(Marker& marker) {
  MutexLock hold(lock_);
  for (const Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) {
    for (size_t i = chunk->first; i < chunk->end; ++i) {
      if (chunk->specials[i].kind == SpecialKind::kDestroy) {
        marker.push(chunk->specials[i].object());
      }
    }
  }
}

}  // namespace burrow::gc
