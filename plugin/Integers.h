// Which numbers of a function may carry a pointer's bits. See Graph.h.
#pragma once

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/Instructions.h"

namespace burrow {

/// The values without pointer type that the graph has nodes for: those computed from pointers, from
/// memory, from results, and from parameters as wide as a pointer.
class Integers {
 public:
  explicit Integers(llvm::Function& F);

  bool tracked(const llvm::Value* V) const { return Tracked.contains(V); }

  /// Computed from a pointer here, and not only its distance from another.
  bool fromPointer(const llvm::Value* V) const { return Cast.contains(V); }

  /// A distance of two pointers, or computed from one.
  bool isDistance(const llvm::Value* V) const { return Distance.contains(V); }

 private:
  static void follow(llvm::SmallVector<const llvm::Value*> Work,
                     llvm::DenseSet<const llvm::Value*>& Set);

  llvm::DenseSet<const llvm::Value*> Tracked, Cast, Distance;
};

/// The distance of two pointers: sub of two ptrtoint.
bool isPointerDistance(const llvm::Value* V);

}  // namespace burrow
