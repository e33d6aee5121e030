// BURROW_PROFILE: the heap profile in a file when the owner ends normally. See prof.h.
//
// Written from the library's destructor: after main returns or exit is called. Not after _exit,
// a signal's death or exec.
#include <cerrno>

#include "base/printer.h"
#include "os/os.h"
#include "prof/owner.h"
#include "prof/profile_file.h"

namespace burrow::prof {
namespace {

void complain(const char* path) {
  FixedPrinter<512> out;
  out << "burrow: cannot write the profile to " << path << ": errno " << errno << '\n';
  out.write_to(2);
}

// Settles ownership early, so that children see it.
__attribute__((constructor(201))) void claim() {
  if (os::env("BURROW_PROFILE") != nullptr) {
    (void)is_owner();
  }
}

__attribute__((destructor)) void write_at_exit() {
  const char* path = os::env("BURROW_PROFILE");
  if (path != nullptr && *path != '\0' && is_owner() && !write_heap_profile_file(path)) {
    complain(path);
  }
}

}  // namespace
}  // namespace burrow::prof
