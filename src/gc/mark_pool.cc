// Marking work that anybody may take. See mark_pool.h.
#include "gc/mark_pool.h"

#include <new>

#include "base/check.h"
#include "os/os.h"

namespace burrow::gc {

constinit MarkPool g_mark_pool;

WorkChunk* MarkPool::get_empty() {
  MutexLock hold(lock_);
  if (empty_ == nullptr) {
    constexpr size_t kBatch = 32;
    auto* fresh = static_cast<WorkChunk*>(os::map_memory(kBatch * sizeof(WorkChunk)));
    if (fresh == nullptr) {
      fatal("out of memory for the collector's marking work");
    }
    for (size_t i = 0; i < kBatch; ++i) {
      auto* chunk = new (&fresh[i]) WorkChunk;
      chunk->next = empty_;
      empty_ = chunk;
    }
  }
  WorkChunk* chunk = empty_;
  empty_ = chunk->next;
  chunk->count = 0;
  chunk->next = nullptr;
  return chunk;
}

void MarkPool::put_empty(WorkChunk* chunk) {
  MutexLock hold(lock_);
  chunk->next = empty_;
  empty_ = chunk;
}

WorkChunk* MarkPool::get_full() {
  if (!has_work()) {
    return nullptr;
  }
  MutexLock hold(lock_);
  WorkChunk* chunk = full_;
  if (chunk != nullptr) {
    full_ = chunk->next;
    chunk->next = nullptr;
    full_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  return chunk;
}

void MarkPool::clear() {
  while (WorkChunk* chunk = get_full()) {
    put_empty(chunk);
  }
}

void MarkPool::put_full(WorkChunk* chunk) {
  MutexLock hold(lock_);
  chunk->next = full_;
  full_ = chunk;
  full_count_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace burrow::gc
