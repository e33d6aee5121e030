// Exact pointer maps for the types given to make, private members, bases and lambdas included.
//
// The half in clang looks at the instances of burrow::internal::kTypeInfo and finds in the layout
// of their types every word that is a pointer; the half in LLVM writes that into the constants.
// A type is made exact only where each of its pointers is a Ptr<T>, whose stores tell the
// collector: then it does not matter who else stores to it. With -burrow-barriers plain pointers
// count as well: the Barrier pass tells of them, if all of the program is compiled so.
#pragma once

#include "llvm/IR/PassManager.h"

namespace burrow {

class PointerMapPass : public llvm::PassInfoMixin<PointerMapPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);
};

}  // namespace burrow
