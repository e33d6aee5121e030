// Keeps the bases of computed pointers alive as long as what is computed from them is used.
#pragma once

#include "llvm/IR/PassManager.h"

namespace burrow {

/// The collector finds an object by a word that points into it. The source has such a word, the
/// variable `row`; machine code need not. Loop strength reduction turns `row[x - x0]` into `(row -
/// 8*x0)[x]` and keeps that sum alone, which points to no object or to another. Boehm and Chase
/// call the cure KEEP_LIVE; LLVM's statepoints find the same base pointers.
///
/// What: a pointer's roots are the arguments, loads, results and phis that it is computed from by
/// GEPs, selects, casts and integer arithmetic. A phi whose values all come from one root that
/// dominates it only steps from that root, and is no root itself. Each root is used once more, by
/// an empty piece of assembly, at a place that no use of the pointer passes by:
///  - behind each loop in which the root does not change: at its exits, outside of the loop. A loop
///    that has no exit but by exceptions has the use at its latches;
///  - outside of such loops behind the last use of the pointer in its block, where the pointer left
///    a loop or need not point into its object in between (a GEP that is not `inbounds`).
/// So the register allocator keeps the root in a register or in a spill slot. No instruction is
/// added, but perhaps that spill and its reload behind the loop.
///
/// Where: last of the passes over IR, as all that computes addresses anew (loop strength reduction)
/// runs in code generation. Link-time optimisation begins without the uses of the compilers (they
/// would be in the midst of loops once functions are inlined) and adds its own; they stay where the
/// linker does not load the plugin.
///
/// Invariants: a root dominates each place of its use. A value that is no constant and neither
/// derived nor a root is an integer.
///
/// Rejected: no strength reduction at all (-disable-lsr costs more, and LICM and reassociation move
/// offsets as well); a use of the root beside each use of the pointer (a reload in the loop once
/// the root is spilled); to keep a root by a volatile store (an instruction, and stale words in
/// frames keep dead objects).
class KeepBasesPass : public llvm::PassInfoMixin<KeepBasesPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Function& F, llvm::FunctionAnalysisManager& Analyses);
};

/// Removes what KeepBasesPass added, before functions are optimised again.
class DropKeptBasesPass : public llvm::PassInfoMixin<DropKeptBasesPass> {
 public:
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Function& F, llvm::FunctionAnalysisManager& Analyses);
};

}  // namespace burrow
