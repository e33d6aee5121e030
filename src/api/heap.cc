// include/burrow/heap.h over the heap. See api.h.
#include "burrow/heap.h"

#include "api/collected.h"
#include "base/annotations.h"
#include "debug/figures.h"
#include "heap/heap.h"

namespace burrow {
namespace {

int64_t public_limit(size_t bytes) {
  return bytes > static_cast<size_t>(kNoMemoryLimit) ? kNoMemoryLimit : static_cast<int64_t>(bytes);
}

}  // namespace

BURROW_EXPORT bool free_os_memory() {
  collect_if_any();
  return heap::release_memory();
}

BURROW_EXPORT int64_t set_memory_limit(int64_t bytes) {
  if (bytes < 0) {
    return public_limit(heap::memory_limit());
  }
  size_t limit = bytes == kNoMemoryLimit ? SIZE_MAX : static_cast<size_t>(bytes);
  size_t former = heap::set_memory_limit(limit);
  note_limit_change();
  return public_limit(former);
}

}  // namespace burrow
