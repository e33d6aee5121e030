// Write barriers: for plain pointers with -burrow-barriers, and the order within the headers' own.
#pragma once

#include "llvm/IR/PassManager.h"

namespace burrow {

/// Before each store of a value that may be a pointer to where a collected object may lie, tells
/// the collector of the new value while it marks. Stores to the function's own variables need
/// none: stacks are looked at again when marking ends.
///
/// Marking may begin at any moment. The collector then looks through registers and stacks; so a
/// value that is stored has to be in one of them from before the flag is looked at until it is
/// stored. A word that is read later, as by a memcpy behind the look, would be missed: its old
/// place may be overwritten before it is marked. So
///  - an empty piece of assembly that uses the value stands before each look (`BarrierCode::pin`),
///    before those of the headers' `Ptr`, `Any` and `Func` too;
///  - copies read some words, look, and write them (`copyInline`, burrow_gc_copy). Only those of
///    the function's own variables, which are looked through when marking begins, stay a memcpy;
///  - a store of a part of a pointer looks with the word as it will be.
///
/// Rejected: to look once more behind a copy. The whole of a cycle may pass before that look, when
/// its thread gets no processor; a memmove's source is overwritten by then.
class BarrierPass : public llvm::PassInfoMixin<BarrierPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);
};

}  // namespace burrow
