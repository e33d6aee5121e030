// Write barriers for plain pointers, with -burrow-barriers.
#pragma once

#include "llvm/IR/PassManager.h"

namespace burrow {

/// Before each store of a value that may be a pointer to where a collected object may lie, and
/// before each copy of memory, tells the collector of the new value while it marks. Stores to the
/// function's own variables need none: stacks are looked at again when marking ends.
class BarrierPass : public llvm::PassInfoMixin<BarrierPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);
};

}  // namespace burrow
