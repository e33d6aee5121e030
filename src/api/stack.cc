// include/burrow/stack.h over the scheduler. See api.h.
#include "burrow/stack.h"

#include "base/annotations.h"
#include "sched/usage.h"

namespace burrow {
namespace {

StackStats convert(const sched::StackUsage& from) {
  return {.reserved = from.reserved,
          .committed = from.committed,
          .in_use = from.in_use,
          .high_water = from.high_water};
}

}  // namespace

BURROW_EXPORT StackStats stack_usage() {
  return convert(sched::usage_here());
}

BURROW_EXPORT StackStats read_stack_stats() {
  return convert(sched::usage_of_all());
}

BURROW_EXPORT size_t trim_stacks() {
  return sched::trim_stacks();
}

}  // namespace burrow
