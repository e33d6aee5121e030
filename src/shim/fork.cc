// fork: both sides go on allocating. See shim.h.
#include "prof/fork.h"

#include <pthread.h>

#include "heap/hardened.h"
#include "heap/heap.h"

namespace burrow::shim {
namespace {

void before() {
  heap::lock_for_fork();
  prof::lock_for_fork();
}

void in_parent() {
  prof::unlock_after_fork_in_parent();
  heap::unlock_after_fork_in_parent();
}

void in_child() {
  prof::unlock_after_fork_in_child();
  heap::unlock_after_fork_in_child();
}

// glibc's registration may allocate, so it does not wait for the first malloc.
__attribute__((constructor)) void install() {
  pthread_atfork(before, in_parent, in_child);
}

__attribute__((destructor)) void finish() {
  heap::hardened_finish();
}

}  // namespace
}  // namespace burrow::shim
