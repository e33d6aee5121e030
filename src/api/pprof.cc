// include/burrow/pprof.h over the profiler. See api.h.
#include "burrow/pprof.h"

#include "base/annotations.h"
#include "prof/prof.h"
#include "prof/profile_file.h"

namespace burrow {

BURROW_EXPORT int64_t mem_profile_rate() {
  return prof::rate();
}

BURROW_EXPORT void set_mem_profile_rate(int64_t bytes) {
  prof::set_rate(bytes);
}

BURROW_EXPORT bool write_heap_profile(const char* path) {
  return prof::write_heap_profile_file(path);
}

}  // namespace burrow
