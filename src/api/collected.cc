// What other headers than gc.h promise of the collector. See collected.h.
#include "api/collected.h"

#include "gc/collector.h"
#include "gc/gc.h"
#include "gc/pacer.h"

namespace burrow {

void collect_if_any() {
  if (gc::started()) {
    gc::g_collector.collect();
  }
}

void note_limit_change() {
  if (gc::started()) {
    gc::g_pacer.recompute();
  }
}

}  // namespace burrow
