// BURROW_PROFILE: the heap profile in a file when the owner ends normally. See prof.h.
//
// Written from the library's destructor: after main returns or exit is called. Not after _exit,
// a signal's death or exec.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/printer.h"
#include "os/os.h"
#include "prof/owner.h"
#include "prof/pprof_writer.h"
#include "prof/profile.h"

namespace burrow::prof {
namespace {

void complain(const char* path) {
  FixedPrinter<512> out;
  out << "burrow: cannot write the profile to " << path << ": errno " << errno << '\n';
  out.write_to(2);
}

void write_file(const char* path) {
  std::string data = write_heap_pprof(take_heap_profile(), ProfileKind::kHeap);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    complain(path);
    return;
  }
  size_t done = 0;
  while (done < data.size()) {
    ssize_t n = write(fd, data.data() + done, data.size() - done);
    if (n < 0 && errno != EINTR) {
      complain(path);
      break;
    }
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  close(fd);
}

// Settles ownership early, so that children see it.
__attribute__((constructor(201))) void claim() {
  if (os::env("BURROW_PROFILE") != nullptr) {
    (void)is_owner();
  }
}

__attribute__((destructor)) void write_at_exit() {
  const char* path = os::env("BURROW_PROFILE");
  if (path != nullptr && *path != '\0' && is_owner()) {
    write_file(path);
  }
}

}  // namespace
}  // namespace burrow::prof
