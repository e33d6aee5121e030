// BURROW_DEBUG=scavenger=1: the scavenger's thread from the start on, in any program. See shim.h.
#include "heap/scavenger.h"

#include "os/os.h"

namespace {

__attribute__((constructor)) void start_early() {
  if (burrow::os::debug_option("scavenger") == "1") {
    burrow::heap::start_scavenger();
  }
}

}  // namespace
