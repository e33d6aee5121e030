// What stopped threads can reach by themselves: registers, stacks, thread_locals. See gc.h,
// "Roots".
#pragma once

#include <cstdint>
#include <span>

#include "base/units.h"
#include "gc/marker.h"
#include "gc/roots.h"
#include "os/stop.h"

namespace burrow::gc {

/// What is called with each range of words, but not with an empty one.
struct RangeVisitor {
  /// Calls `f(from, to)`, which must live on.
  template <typename F>
  static RangeVisitor of(F& f) {
    return {[](void* raw, Address from, Address to) { (*static_cast<F*>(raw))(from, to); }, &f};
  }

  void (*visit)(void* argument, Address from, Address to);
  void* argument;

  void operator()(Address from, Address to) const {
    if (from < to) {
      visit(argument, from, to);
    }
  }
};

/// Visits what of [from, to) was ever written to: the rest is most of many a stack.
void visit_present(const RangeVisitor& visit, Address from, Address to);

/// Where a stack ends that the program made, as far as can be known: the end of the block or the
/// mapping that it lies in.
[[nodiscard]] Address end_of_stack(Address sp);

/// Calls `frames` with each range of the stopped threads' frames: stacks and general registers.
/// They may be on stacks of the program's own, of which some cannot be read. Calls `variables` with
/// what is not of frames: thread_locals, descriptors, also those of ended threads that were not
/// joined yet (their results lie there), and vector registers, as what a memcpy has left there
/// would keep the neighbours of all of it.
///
/// A thread on a stack that is not its own (a signal stack, a coroutine's) can come back to its own
/// any time: what of that has pages is visited too. The end of such a stack is that of the block or
/// the mapping that it lies in. REQUIRES: the world is stopped.
void for_each_thread_root(std::span<const os::StoppedThread> threads, const RangeVisitor& frames,
                          const RangeVisitor& variables);

/// Scans them all, and what ended threads have left for those that join them; long ranges become
/// jobs, when there are `jobs` to take them. Returns the bytes. REQUIRES: the world is stopped.
uint64_t scan_threads(Marker& marker, std::span<const os::StoppedThread> threads, RootJobs* jobs);

}  // namespace burrow::gc
