// Decides for each allocation site whether its object may live in the frame, and moves it there.
//
// Rules: it must not outlive the frame nor, in a loop, be known when its site runs again; its size
// is constant and fits; its type has no destructor, because the collector runs that on a goroutine
// of its own when it likes and the end of the frame is no substitute (throwing paths, order); a
// block of operator new must be freed here, by pointers that can be nothing else.
#pragma once

#include <string>
#include <vector>

#include "Graph.h"
#include "llvm/IR/PassManager.h"

namespace burrow {

struct Verdict {
  Site Of;
  bool Escapes = true;
  std::string Reason;         ///< why it escapes; empty where a flow says so
  std::optional<NodeId> Via;  ///< the node by which it outlives
  uint64_t Bytes = 0;
  bool Moved = false;  ///< does not escape, and is to be moved
  llvm::SmallVector<llvm::CallBase*, 2> Frees;
};

/// The verdicts on all sites of the function. Recursive: it may call itself.
std::vector<Verdict> decide(const Graph& G, llvm::FunctionAnalysisManager& Analyses,
                            bool Recursive);

/// Moves what is to be moved; whether anything was.
bool promote(llvm::Function& F, llvm::ArrayRef<Verdict> Verdicts,
             llvm::FunctionAnalysisManager& Analyses);

}  // namespace burrow
