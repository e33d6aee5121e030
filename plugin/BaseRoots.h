// Which values a pointer is computed from. See KeepBases.h.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/Instructions.h"

namespace burrow {

struct Derivation {
  llvm::SmallVector<llvm::Value*, 2> Roots;
  /// Computed with an index or step that is no constant.
  bool Indexed = false;
  /// Went through a phi: it may be from an earlier turn of a loop.
  bool Stepped = false;
  /// May point out of the object on its way, by the rules of IR.
  bool Loose = false;
};

/// The derivations of a function's pointers, and of its integers as wide.
class BaseRoots {
 public:
  BaseRoots(llvm::Function& F, const llvm::DominatorTree& Of);

  /// Null: the value is its own root, or a constant.
  const Derivation* find(const llvm::Value* V) const {
    auto At = Known.find(V);
    return At == Known.end() ? nullptr : &At->second;
  }

 private:
  void visit(llvm::Instruction& I);
  void phi(llvm::PHINode& Phi);
  void add(Derivation& To, llvm::Value* From) const;
  void sum(Derivation& To, llvm::Value* Left, llvm::Value* Right) const;
  void collect(llvm::PHINode& Phi, Derivation& To) const;

  const llvm::DominatorTree& Tree;
  llvm::DenseMap<const llvm::Value*, Derivation> Known;
  llvm::DenseSet<const llvm::Value*> Seen;
};

}  // namespace burrow
