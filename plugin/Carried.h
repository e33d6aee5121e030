// Which objects the iterations of a loop hand on to the next: their sites have one slot for all.
#pragma once

#include <map>

#include "Graph.h"

namespace burrow {

/// Asks a solved graph. What a loop carries is looked for once, not for each site in it.
class Carried {
 public:
  Carried(const Graph& Of, const llvm::LoopInfo& Known, const llvm::DominatorTree& Dominance)
      : G(Of), Loops(Known), Tree(Dominance) {}

  /// The node by which an object of a site in a loop is still known when the site runs again.
  std::optional<NodeId> by(const Site& S);

 private:
  /// By what is reached, the first node that it was met in.
  using Reached = llvm::DenseMap<ObjectId, NodeId>;

  Reached around(const llvm::Loop& Inner);
  bool namedOnly(ObjectId Variable);

  const Graph& G;
  const llvm::LoopInfo& Loops;
  const llvm::DominatorTree& Tree;
  std::map<const llvm::Loop*, Reached> Known;
  /// The variables whose address something keeps: found when first asked.
  std::optional<ObjectSet> Kept;
};

}  // namespace burrow
