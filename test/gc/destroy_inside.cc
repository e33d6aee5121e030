// For the archive, whose inside can be reached. See destroy.h.
#include "destroy.h"
#include "gc/cleanup.h"
#include "gc/faults.h"

void plant(const std::string& fault) {
  burrow::gc::g_faults.no_due_order = fault == "order";
  burrow::gc::g_faults.no_settle_gate = fault == "gate";
  burrow::gc::g_faults.stale_weak = fault == "weak";
}

void drain() {
  burrow::gc::drain_cleanups();
}
