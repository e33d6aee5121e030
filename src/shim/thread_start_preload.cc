// pthread_create: the preload notices that the program uses threads, and then may have one of its
// own. See shim.h, and heap/mheap.h, "Scavenger".
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

#include "base/annotations.h"
#include "heap/scavenger.h"

namespace {

using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

// Relaxed: found anew if need be, always the same.
constinit std::atomic<Create> g_next{nullptr};

Create next() {
  Create f = g_next.load(std::memory_order_relaxed);
  if (f == nullptr) {
    f = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
    g_next.store(f, std::memory_order_relaxed);
  }
  return f;
}

}  // namespace

extern "C" BURROW_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                            void* (*function)(void*), void* argument) {
  Create create = next();
  if (create == nullptr) {
    return EAGAIN;
  }
  int error = create(thread, attributes, function, argument);
  if (error == 0) {
    burrow::heap::start_scavenger();
  }
  return error;
}
