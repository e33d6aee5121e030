// setrlimit and prlimit: the heap reserves far more addresses than it uses, and gives them back
// when the program limits its address space (RLIMIT_AS). See shim.h.
#include "heap/heap.h"
#include "os/os.h"
#include "shim/shim.h"

namespace {

// As the C library's functions, which are this system call: -1 and errno after a failure.
int change(int process, int resource, const void* now, void* before) {
  int result = burrow::os::change_limit(process, resource, now, before);
  if (result == 0 && now != nullptr && burrow::os::is_own_address_space(process, resource)) {
    burrow::heap::fit_address_space_limit();
  }
  return result;
}

}  // namespace

extern "C" {

// Declared here and not by <sys/resource.h>, whose types differ between C and C++; on 64-bit
// systems the two of each kind are the same.
BURROW_EXPORT int setrlimit(int resource, const void* now);
BURROW_EXPORT int prlimit(int process, int resource, const void* now, void* before);

int setrlimit(int resource, const void* now) {
  return change(0, resource, now, nullptr);
}

int prlimit(int process, int resource, const void* now, void* before) {
  return change(process, resource, now, before);
}

BURROW_ALIAS(setrlimit) int setrlimit64(int resource, const void* now);
BURROW_ALIAS(prlimit) int prlimit64(int process, int resource, const void* now, void* before);

}  // extern "C"
