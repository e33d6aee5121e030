// What goroutines' stacks take.
#pragma once

#include <burrow/internal/cxx20.h>

#include <cstddef>

namespace burrow {

/// Figures of one stack or of all, in bytes.
struct StackStats {
  size_t reserved = 0;    ///< address space, which costs nothing by itself; guards included
  size_t committed = 0;   ///< that has memory
  size_t in_use = 0;      ///< between the stack pointer and the stack's beginning; 0 while the
                          ///< goroutine runs on a stack that the program made
  size_t high_water = 0;  ///< from the deepest page that was touched (since it was trimmed)
};

/// Of the calling goroutine; all 0 on a plain thread.
[[nodiscard]] StackStats stack_usage();

/// Of all goroutines together, those that run left out of `in_use`, except the calling one;
/// `high_water` is that of the deepest. Takes about a microsecond a goroutine.
[[nodiscard]] StackStats read_stack_stats();

/// Gives memory back that stacks do not need: what lies below the stack pointers of goroutines that
/// wait, and stacks without a goroutine. Returns the bytes.
size_t trim_stacks();

}  // namespace burrow
