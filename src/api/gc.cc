// include/burrow/gc.h over the collector. See api.h.
#include "burrow/gc.h"

#include "base/annotations.h"
#include "gc/collector.h"
#include "gc/gc.h"
#include "gc/pacer.h"
#include "gc/specials.h"

namespace burrow {

BURROW_EXPORT void collect() {
  gc::start();
  gc::g_collector.collect();
}

BURROW_EXPORT int set_gc_percent(int percent) {
  gc::start();
  return gc::g_pacer.set_percent(percent);
}

BURROW_EXPORT void Cleanup::stop() {
  (void)gc::remove_special(id_);
  id_ = 0;
}

namespace internal {

BURROW_EXPORT uint64_t add_cleanup(void* object, void (*function)(void*), void* argument) {
  return gc::add_special(gc::SpecialKind::kCleanup, object, function, argument);
}

}  // namespace internal
}  // namespace burrow
