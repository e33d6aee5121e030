// What the objects moved to the stack take of each frame, now and after inlining.
//
// A function's budget is spent by its own objects. Inlining joins frames: a helper's buffer would
// become a part of every frame of a recursion that calls the helper. So each run plans from the
// callees upwards what a frame would take if everything were inlined into it, and a call that no
// longer fits keeps a frame of its own.
#pragma once

#include "Known.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/PassManager.h"

namespace burrow {

/// Bytes of moved objects; those of new and malloc are in both.
struct FrameBytes {
  uint64_t All = 0, New = 0;

  FrameBytes operator+(const FrameBytes& Other) const { return {All + Other.All, New + Other.New}; }

  bool fits(const FrameBytes& Budget) const { return All <= Budget.All && New <= Budget.New; }
};

/// What a frame may take; less where the function may call itself.
FrameBytes frameBudget(bool Recursive);

/// What an object of so many bytes takes of a frame.
FrameBytes slotBytes(uint64_t Bytes, Callee Kind);

/// Marks a stack variable as a moved object, for `slotsOf`.
void markSlot(llvm::AllocaInst& Slot, Callee Kind);

/// What the moved objects in the function take, its own and those that were inlined.
FrameBytes slotsOf(const llvm::Function& F);

/// Keeps calls from being inlined where the frame that they would become part of could not take
/// them. Whether it kept any.
bool planFrames(llvm::Module& M);

}  // namespace burrow
