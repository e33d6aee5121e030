// Which process serves and writes profiles. See owner.h.
#include "prof/owner.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include "heap/give_way.h"
#include "os/os.h"

namespace burrow::prof {

bool is_owner() {
  if (heap::g_gave_way) {
    return false;
  }
  const char* text = os::env("BURROW_OWNER_PID");
  if (text == nullptr || *text == '\0') {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): called from a constructor, before other threads
    setenv("BURROW_OWNER_PID", std::to_string(os::process_id()).c_str(), 1);
    return true;
  }
  uint32_t pid = 0;
  std::from_chars(text, text + std::strlen(text), pid);
  return pid == os::process_id();
}

}  // namespace burrow::prof
