// Inlines Burrow's own allocating templates before anything is decided.
#pragma once

#include "llvm/IR/PassManager.h"

namespace burrow {

/// Marks the inline functions of namespace burrow through which a make reaches its allocation call
/// as always to be inlined, also at -O0: the object is then the caller's, with a place of its own.
class MakersPass : public llvm::PassInfoMixin<MakersPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);
};

}  // namespace burrow
