// pthread_create: the preload notices that the program uses threads, and then may have one of its
// own. See shim.h, and heap/mheap.h, "Scavenger".
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

#include "base/annotations.h"
#include "heap/scavenger.h"
#include "shim/next_function.h"

namespace {

using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

constinit std::atomic<Create> g_next{nullptr};

}  // namespace

extern "C" BURROW_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                            void* (*function)(void*), void* argument) {
  Create create = burrow::shim::next_function(g_next, "pthread_create");
  if (create == nullptr) {
    return EAGAIN;
  }
  int error = create(thread, attributes, function, argument);
  if (error == 0) {
    burrow::heap::start_scavenger();
  }
  return error;
}
