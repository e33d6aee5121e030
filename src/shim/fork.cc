// fork: both sides go on allocating. See shim.h.
#include "prof/fork.h"

#include <pthread.h>

#include "heap/hardened.h"
#include "heap/heap.h"

namespace burrow::shim {
namespace {

// What lock_for_fork said to this thread's fork.
constinit thread_local bool t_locked = false;

void before() {
  t_locked = heap::lock_for_fork();
  if (t_locked) {
    prof::lock_for_fork();
  }
}

void in_parent() {
  if (t_locked) {
    prof::unlock_after_fork_in_parent();
    heap::unlock_after_fork_in_parent();
  }
}

void in_child() {
  prof::unlock_after_fork_in_child();
  heap::unlock_after_fork_in_child(t_locked);
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
