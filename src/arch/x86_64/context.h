// The stack switch on x86-64. See arch.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::arch {

/// A stack that does not run: its stack pointer, at which a SavedFrame lies.
struct Context {
  void* sp = nullptr;
};

/// What a switch leaves on the stack. The offsets are those of switch_context.S.
struct SavedFrame {
  uint32_t mxcsr;
  uint16_t x87_control;
  uint16_t unused;
  uint64_t r15;
  uint64_t r14;
  uint64_t r13;
  uint64_t r12;
  uint64_t rbx;
  uint64_t rbp;
  uint64_t return_address;
};

static_assert(offsetof(Context, sp) == 0);
static_assert(offsetof(SavedFrame, x87_control) == 4);
static_assert(offsetof(SavedFrame, r15) == 8);
static_assert(offsetof(SavedFrame, r12) == 32);
static_assert(offsetof(SavedFrame, rbx) == 40);
static_assert(offsetof(SavedFrame, rbp) == 48);
static_assert(offsetof(SavedFrame, return_address) == 56);
static_assert(sizeof(SavedFrame) == 64);

/// Where a stack that does not run goes on: what a stack walk starts from.
struct StackTop {
  uintptr_t pc = 0;
  uintptr_t sp = 0;   ///< after the return to `pc`
  uintptr_t rbp = 0;  ///< at `pc`
};

[[nodiscard]] inline StackTop stack_top(const Context& context) {
  const auto* frame = static_cast<const SavedFrame*>(context.sp);
  return {frame->return_address, reinterpret_cast<uintptr_t>(context.sp) + sizeof(SavedFrame),
          frame->rbp};
}

extern "C" {
/// Stores the running stack in `from` and goes on on `to`, whose switch_context (or whose entry)
/// gets `value`. Returns, when somebody switches back, the value of that switch.
BURROW_HIDDEN void* burrow_switch_context(Context* from, Context* to, void* value);
/// Where a new stack starts: calls the function in rbx with the value of the switch and what r12
/// holds. Not to be called.
BURROW_HIDDEN void burrow_stack_entry();
}

inline void* switch_context(Context& from, Context& to, void* value) {
  return burrow_switch_context(&from, &to, value);
}

/// Makes a context on an empty stack that ends at `top`. The first switch to it calls
/// entry(value of the switch, argument), which must not return. The control words are the caller's.
/// REQUIRES: `top` is 16-byte aligned.
inline void make_context(Context& context, void* top, void (*entry)(void*, void*), void* argument) {
  auto* frame = static_cast<SavedFrame*>(top) - 1;
  uint32_t mxcsr = 0;
  uint16_t control = 0;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
  *frame = SavedFrame{mxcsr,
                      control,
                      0,
                      0,
                      0,
                      0,
                      reinterpret_cast<uint64_t>(argument),
                      reinterpret_cast<uint64_t>(entry),
                      0,
                      reinterpret_cast<uint64_t>(&burrow_stack_entry)};
  context.sp = frame;
}

/// Tells the processor that this is a waiting loop.
inline void pause() {
  __builtin_ia32_pause();
}

}  // namespace burrow::arch
