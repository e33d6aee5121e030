// The profiler around fork. See shim/fork.cc.
#pragma once

namespace burrow::prof {

void lock_for_fork();
void unlock_after_fork_in_parent();
void unlock_after_fork_in_child();

}  // namespace burrow::prof
