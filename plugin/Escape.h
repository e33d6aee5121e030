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

class EscapePass : public llvm::PassInfoMixin<EscapePass> {
 public:
  /// Last: no later run follows, so the decisions are printed.
  EscapePass(bool IsLate, bool IsLast) : Late(IsLate), Last(IsLast) {}

  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& M, llvm::ModuleAnalysisManager& Analyses);

 private:
  bool Late, Last;
};

}  // namespace burrow
