// Stacks of goroutines, for people and for profiles. See sched.h, How 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "arch/arch.h"
#include "base/printer.h"
#include "sched/goroutine.h"

namespace burrow::sched {

/// Deepest stack that is printed or recorded.
inline constexpr size_t kMaxFrames = 100;

/// Where text goes.
struct Sink {
  void (*function)(std::string_view text, void* argument) = nullptr;
  void* argument = nullptr;

  void operator()(std::string_view text) const { function(text, argument); }
};

/// Standard error.
void write_error(std::string_view text, void* unused);
inline constexpr Sink kToError{write_error, nullptr};

/// How stacks are walked and addresses named: the profiler does both better than this layer can,
/// but lies above it. Set once, before there are goroutines, by whoever links both.
struct TraceHooks {
  /// Stores return addresses less one, innermost first, beginning with `top`; their number.
  size_t (*walk)(const arch::StackTop& top, std::span<uintptr_t> pcs) = nullptr;
  /// Prints the frames at an address as Go does: function, newline, tab, file:line, newline.
  /// May allocate.
  void (*print_frames)(std::span<const uintptr_t> pcs, const Sink& write) = nullptr;
  /// The same for the one place of a call of `go`.
  void (*print_caller)(uintptr_t pc, const Sink& write) = nullptr;
};

void set_trace_hooks(const TraceHooks& hooks);

/// A goroutine as others see it.
struct GoroutineInfo {
  uint64_t id = 0;
  GoroutineState state = GoroutineState::kDead;
  WaitReason reason = WaitReason::kNone;
  uint64_t creator_id = 0;
  uintptr_t creator_pc = 0;  ///< of the call of `go`
  bool stack_known = false;  ///< false: it runs, or was too quick
  size_t depth = 0;
  uintptr_t pcs[kMaxFrames];  ///< innermost first; Burrow's own waiting functions left out
};

/// Calls f(info, argument) for each goroutine there is, while they go on. Any thread.
void for_each_goroutine(void (*f)(const GoroutineInfo& info, void* argument), void* argument);

/// The words for a state in brackets: "running", "runnable", "chan receive".
[[nodiscard]] std::string_view state_name(const GoroutineInfo& info);

/// Prints "goroutine 7 [chan receive]:", the frames, and who created it.
void print_goroutine(const GoroutineInfo& info, const Sink& write);

/// Prints who called `go`.
void print_creator(uint64_t creator_id, uintptr_t creator_pc, const Sink& write);

/// Prints the frames only.
void print_frames(std::span<const uintptr_t> pcs, const Sink& write);

/// The same for every goroutine but those whose numbers are in `except`.
void print_all_goroutines(std::span<const uint64_t> except, const Sink& write);

/// The calling stack.
[[nodiscard]] size_t walk_here(std::span<uintptr_t> pcs);
[[nodiscard]] size_t walk_stack(const arch::StackTop& top, std::span<uintptr_t> pcs);

}  // namespace burrow::sched
