/* Opens a library by its name, which only this one's RUNPATH finds. See dlopen_test.cc. */
#include <dlfcn.h>

void *opener_open(const char *name, int flags) {
  void *volatile handle = dlopen(name, flags); /* no tail call here */
  return handle;
}
