// The pass that decides and promotes: summaries bottom-up over the call graph, then verdicts.
//
// It runs twice. Early, before inlining: its summaries say what the source says, so they hold for
// every definition of an inline function and for other files. Late, after inlining and
// devirtualisation: it finds what they exposed, and summarises anew only what cannot be replaced.
#pragma once

#include "Graph.h"
#include "llvm/Analysis/CallGraph.h"
#include "llvm/IR/PassManager.h"

namespace burrow {

/// Which run it is.
enum class Stage {
  Early,
  OnlyEarly,  ///< nothing is optimised, and no late run follows
  Late,
  Link,  ///< late, of the whole program: nobody will rely on its summaries
};

class EscapePass : public llvm::PassInfoMixin<EscapePass> {
 public:
  explicit EscapePass(Stage Of) : Run(Of) {}

  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);

 private:
  Stage Run;
};

}  // namespace burrow
