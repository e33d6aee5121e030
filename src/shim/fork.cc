// The order of fork's handlers: Burrow's is the first that is handed in, so it runs last before the
// fork. See os/fork.h.
#include "os/fork.h"

#include <dlfcn.h>

#include "heap/hardened.h"
#include "shim/shim.h"

using Handler = void (*)();

// What pthread_atfork, a part of each program and library, calls. Weak: in a static program that
// forks it is glibc's own that serves, and Burrow's constructors run before all others. In one that
// does not there is none.
extern "C" BURROW_EXPORT [[gnu::weak]] int __register_atfork(Handler prepare, Handler parent,
                                                             Handler child, void* library) {
  using Function = int (*)(Handler, Handler, Handler, void*);
  burrow::os::install_fork_handler();
  // Found anew each time: sanitizers call this before a static's guard would work.
  auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "__register_atfork"));
  return next != nullptr ? next(prepare, parent, child, library) : 0;
}

namespace burrow::shim {
namespace {

__attribute__((destructor)) void finish() {
  heap::hardened_finish();
}

}  // namespace
}  // namespace burrow::shim
