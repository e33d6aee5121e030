// Where the pointers of one function may go: an inclusion-based (Andersen) points-to graph.
//
// What: for every SSA value and for the content of every object, the set of objects that it may
// point to. Objects are the heap (everything that is not followed, one object), the register
// result, five levels of each parameter, the function's own stack variables and its
// allocation sites. An object is two cells: what was stored in it as a pointer, and what came there
// in another form (integers, floats, bytes, untyped copies). Fields and elements are not told
// apart.
//
// How:
//   1. GraphBuilder turns each instruction into copy, load and store constraints.
//   2. Solver propagates to the fixpoint. What reaches the heap takes its content along, and may
//      be written by anybody from then on; so may what is reachable from a parameter's memory.
//   3. A Func's captures are charged where they are joined with its code (`burrow_closure_made`)
//      with all that the code may do to them; so a call of a Func does nothing more to them.
//   4. Summary reads the parameters' flows out; Promote asks `outlives`, and `Carried`
//      for loops.
//
// Invariants: whatever the builder does not know is a flow to the heap, or a value from it. A load
// whose address or result nobody defined is from the heap. Every value that memory or a pointer may
// have given bits to carries what they carry, of whatever type and width, down to a byte; only a
// single bit carries nothing, nor does what a comparison or a branch makes of one. An integer that
// is computed from a pointer makes it escape where it leaves the function or memory keeps it, and
// so does a value narrower than a pointer, or a float, that a function is called with. What a load
// may read follows from the source's types (Access.h); where they say nothing, it is everything.
//
// Rejected: LLVM's heap-to-stack of the Attributor (finds fewer, leaves allocas in loops);
// field-sensitive cells (more code to trust; Go does without); loops that copy bytes found by their
// shape (optimisation gives them others).
#pragma once

#include <vector>

#include "Access.h"
#include "Known.h"
#include "Summary.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SparseBitVector.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Function.h"

namespace burrow {

using NodeId = unsigned;
using ObjectId = unsigned;
using ObjectSet = llvm::SparseBitVector<>;

enum class ObjectKind { Heap, Result, Param, Stack, Site };

struct Object {
  ObjectKind Kind;
  NodeId Typed;                       ///< what pointers were stored in its memory as pointers
  NodeId Raw;                         ///< what came there in any other form
  llvm::Instruction* Inst = nullptr;  ///< Stack, Site
  unsigned Param = 0, Level = 0;      ///< Param
};

enum class ConstraintKind { Copy, Load, Store };

/// Copy: To includes From. Load: To includes *From. Store: *To includes From.
struct Constraint {
  ConstraintKind Kind;
  NodeId From, To;
  llvm::Instruction* Why;
  Planes Of = Planes::Both;
};

/// The distance of two pointers. It carries both where they may be of different objects: what has
/// the one finds the other by it.
struct PointerDistance {
  NodeId First, Second, To;
  llvm::Instruction* Why;
  bool Followed = false;
};

struct Site {
  llvm::CallBase* Call;
  Callee Kind;
  ObjectId Object;
};

class Graph {
 public:
  explicit Graph(llvm::Function& Fn);

  llvm::Function& F;
  std::vector<Object> Objects;
  std::vector<ObjectSet> Points;  ///< by node
  std::vector<Constraint> Constraints;
  std::vector<PointerDistance> Distances;
  std::vector<Site> Sites;
  /// Why nothing of this function is to be moved to the stack; null where all may be.
  const char* Refused = nullptr;
  bool Optimistic = false;

  static constexpr ObjectId Heap = 0, Result = 1;
  NodeId HeapNode, ResultNode;
  NodeId PublicNode;       ///< reachable from memory that a parameter gives access to
  NodeId FreedNode;        ///< handed to operator delete or free here
  NodeId CalleeFreedNode;  ///< the same in a function called

  /// What an argument's memory holds in the raw plane: most memory holds nothing there, what is
  /// stored through nothing is stored nowhere, and what is read of nothing is nothing.
  llvm::SparseBitVector<> MayBeEmpty;
  std::vector<std::vector<ObjectId>> Params;  ///< by parameter and level; empty for plain numbers
  llvm::DenseMap<const llvm::Value*, NodeId> Nodes;

  /// How an object came to a node first: the node it came from and the instruction that did it.
  struct Step {
    NodeId From;
    llvm::Instruction* Why;
  };

  llvm::DenseMap<std::pair<NodeId, ObjectId>, Step> Trace;
  std::vector<const llvm::Value*> NodeValues;  ///< by node; null for memory and temporaries

  NodeId newNode(const llvm::Value* V = nullptr);
  ObjectId newObject(ObjectKind Kind, llvm::Instruction* Inst = nullptr);

  void copy(NodeId From, NodeId To, llvm::Instruction* Why) {
    Constraints.push_back({ConstraintKind::Copy, From, To, Why});
  }

  void load(NodeId From, NodeId To, llvm::Instruction* Why, Planes Of = Planes::Both) {
    Constraints.push_back({ConstraintKind::Load, From, To, Why, Of});
  }

  void store(NodeId From, NodeId To, llvm::Instruction* Why, Planes Of = Planes::Both) {
    Constraints.push_back({ConstraintKind::Store, From, To, Why, Of});
  }

  bool pointsTo(NodeId N, ObjectId O) const { return Points[N].test(O); }

  /// The node by which the object outlives the frame, if it does.
  std::optional<NodeId> outlives(ObjectId O) const;
};

/// Fills the constraints of the function, calls by the summaries of the table.
void buildGraph(Graph& G, const SummaryTable& Summaries);

/// Propagates to the fixpoint. WithTrace keeps, for -m=2, how each object came to each node.
void solve(Graph& G, bool WithTrace);

}  // namespace burrow
