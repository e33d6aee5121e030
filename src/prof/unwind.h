// Stacks of the calling thread. See prof.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::prof {

/// Deepest stack that is recorded; what lies further out is cut off.
inline constexpr size_t kMaxDepth = 128;

/// Stores return addresses less one, innermost first, without Burrow's own frames; returns their
/// number. Never allocates from the heap; 0 when called from inside itself.
[[nodiscard]] size_t capture_stack(std::span<uintptr_t> pcs);

/// Registers that a walk can begin from: those after the return from some frame.
struct StackPlace {
  uintptr_t pc = 0;
  uintptr_t sp = 0;
  uintptr_t rbp = 0;

  bool operator==(const StackPlace&) const = default;
};

/// The same of a stack that does not run, as far as rows lead. The stack must be one that
/// os::stack_end knows.
[[nodiscard]] size_t walk_stack(const StackPlace& from, std::span<uintptr_t> pcs);

/// Runs the unwinder once, so that what it sets up at first use is done before it matters.
void prime_unwinder();

/// How the walks of the process were made, counted under BURROW_DEBUG=unwindcheck=1 only (and then
/// printed when the process ends).
struct WalkCounts {
  uint64_t by_rows = 0;    ///< each compared with libgcc's
  uint64_t again = 0;      ///< of these, those that were as the last walk
  uint64_t by_libgcc = 0;  ///< a frame needed it
};

[[nodiscard]] WalkCounts walk_counts();

/// For tests: the rows that walks go by.
struct UnwindTestPeer {
  static class RowMemo& memo();
};

/// In the child of a fork, where another thread may have been in the middle of a walk.
void reset_walks_after_fork();

/// True for addresses of the library that Burrow is in, when that is not the program itself.
[[nodiscard]] bool is_own_code(uintptr_t pc);

}  // namespace burrow::prof
