// Propagation to the fixpoint, and the questions asked of it. See Graph.h.
#include <bitset>

#include "Graph.h"
#include "Known.h"
#include "Options.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

namespace {

class Solver {
 public:
  Solver(Graph& Of, bool Trace) : G(Of), Trace(Trace) {
    size_t Count = G.Points.size();
    Edges.resize(Count);
    Loads.resize(Count);
    Stores.resize(Count);
    Done.resize(Count);
  }

  void run();

 private:
  struct Edge {
    NodeId To;
    Instruction* Why;
    Planes Of = Planes::Both;
  };

  void edge(NodeId From, NodeId To, Instruction* Why);
  void add(const ObjectSet& Objects, NodeId From, NodeId To, Instruction* Why);
  void process(NodeId N);
  void propagate();
  bool defineTheUndefined();
  bool carriesBoth(const ObjectSet& Ends) const;
  bool followDistances();

  void changed(NodeId N) {
    if (Waiting.insert(N).second) {
      Work.push_back(N);
    }
  }

  Graph& G;
  bool Trace;
  std::vector<SmallVector<Edge, 2>> Edges, Loads, Stores;
  DenseSet<std::pair<NodeId, NodeId>> HasEdge;
  std::vector<ObjectSet> Done;
  SmallVector<NodeId> Work;
  DenseSet<NodeId> Waiting;
};

void Solver::add(const ObjectSet& Objects, NodeId From, NodeId To, Instruction* Why) {
  if (Trace) {
    ObjectSet New = Objects;
    New.intersectWithComplement(G.Points[To]);
    for (ObjectId O : New) {
      G.Trace.try_emplace({To, O}, Graph::Step{From, Why});
    }
  }
  if (bool More = G.Points[To] |= Objects; More) {
    changed(To);
  }
}

void Solver::edge(NodeId From, NodeId To, Instruction* Why) {
  if (From == To || !HasEdge.insert({From, To}).second) {
    return;
  }
  Edges[From].push_back({To, Why});
  add(G.Points[From], From, To, Why);
}

void Solver::process(NodeId N) {
  ObjectSet New = G.Points[N];
  New.intersectWithComplement(Done[N]);
  Done[N] |= New;
  for (ObjectId O : New) {
    const Object Of = G.Objects[O];
    for (const Edge& Load : Loads[N]) {
      if (includes(Load.Of, Planes::Typed)) {
        edge(Of.Typed, Load.To, Load.Why);
      }
      if (includes(Load.Of, Planes::Raw)) {
        edge(Of.Raw, Load.To, Load.Why);
      }
    }
    for (const Edge& Store : Stores[N]) {
      if (includes(Store.Of, Planes::Typed)) {
        edge(Store.To, Of.Typed, Store.Why);
      }
      if (includes(Store.Of, Planes::Raw)) {
        edge(Store.To, Of.Raw, Store.Why);
      }
    }
    bool Own = Of.Kind == ObjectKind::Site || Of.Kind == ObjectKind::Stack;
    // Whatever others can reach takes its content along and may be written by them.
    if (N == G.HeapNode || (N == G.PublicNode && Own)) {
      for (NodeId Content : {Of.Typed, Of.Raw}) {
        edge(Content, N, nullptr);
        if (Own) {
          edge(G.HeapNode, Content, nullptr);
        }
      }
    }
  }
  for (size_t At = 0; At < Edges[N].size(); ++At) {
    Edge E = Edges[N][At];
    add(New, N, E.To, E.Why);
  }
}

void Solver::propagate() {
  while (!Work.empty()) {
    NodeId N = Work.pop_back_val();
    Waiting.erase(N);
    process(N);
  }
}

/// An address that nobody defined may be any, and so may a pointer read from where nobody wrote.
bool Solver::defineTheUndefined() {
  ObjectSet Anything;
  Anything.set(Graph::Heap);
  bool Any = false;
  for (const Constraint& C : G.Constraints) {
    if (C.Kind == ConstraintKind::Copy) {
      continue;
    }
    NodeId Address = C.Kind == ConstraintKind::Load ? C.From : C.To;
    if (G.Points[Address].empty() && !G.MayBeEmpty.test(Address)) {
      add(Anything, G.HeapNode, Address, C.Why);
      Any = true;
    }
    if (C.Kind == ConstraintKind::Load && G.Points[C.To].empty() && !G.MayBeEmpty.test(C.To) &&
        C.Why && C.Why->getType()->isPtrOrPtrVectorTy()) {
      add(Anything, G.HeapNode, C.To, C.Why);
      Any = true;
    }
  }
  return Any;
}

/// Whether the ends of a distance may lie in different objects.
bool Solver::carriesBoth(const ObjectSet& Ends) const {
  if (Ends.count() != 1) {
    return !Ends.empty();
  }
  const Object& Only = G.Objects[Ends.find_first()];
  switch (Only.Kind) {
    case ObjectKind::Heap:
      return false;  // nothing of this frame
    case ObjectKind::Param:
      return Only.Level != 0;  // one of many
    case ObjectKind::Stack:
      return !cast<AllocaInst>(Only.Inst)->isStaticAlloca();
    case ObjectKind::Site:  // those of two iterations known at once are kept on the heap
    case ObjectKind::Result:
      return false;
  }
}

bool Solver::followDistances() {
  bool Any = false;
  for (PointerDistance& D : G.Distances) {
    ObjectSet Ends = G.Points[D.First];
    Ends |= G.Points[D.Second];
    if (!D.Followed && carriesBoth(Ends)) {
      D.Followed = true;
      edge(D.First, D.To, D.Why);
      edge(D.Second, D.To, D.Why);
      Any = true;
    }
  }
  return Any;
}

void Solver::run() {
  for (const Constraint& C : G.Constraints) {
    switch (C.Kind) {
      case ConstraintKind::Copy:
        edge(C.From, C.To, C.Why);
        break;
      case ConstraintKind::Load:
        Loads[C.From].push_back({C.To, C.Why, C.Of});
        break;
      case ConstraintKind::Store:
        Stores[C.To].push_back({C.From, C.Why, C.Of});
        break;
    }
  }
  for (NodeId N = 0; N < G.Points.size(); ++N) {
    if (!G.Points[N].empty()) {
      changed(N);
    }
  }
  do {
    propagate();
  } while (followDistances() || defineTheUndefined());
}

/// Bytes that an instruction writes whatever happens, at a constant place in the variable.
struct Written {
  const Instruction* By;
  uint64_t From, To;
};

/// The uses of a variable: what they write, and where all of it may be read.
struct Uses {
  std::vector<Written> Writes;
  SmallVector<const Use*> Reads;

  void add(const Use& U, uint64_t Offset, const DataLayout& Layout) {
    auto* By = cast<Instruction>(U.getUser());
    if (auto* Marker = dyn_cast<IntrinsicInst>(By);
        Marker && isHarmlessIntrinsic(*Marker) && !isa<AnyMemIntrinsic>(By)) {
      return;
    }
    auto* Store = dyn_cast<StoreInst>(By);
    auto* Copy = dyn_cast<AnyMemIntrinsic>(By);
    auto* Length = Copy ? dyn_cast<ConstantInt>(Copy->getLength()) : nullptr;
    APInt Further(64, 0);
    if (Store && U.getOperandNo() == StoreInst::getPointerOperandIndex()) {
      uint64_t Size = Layout.getTypeStoreSize(Store->getValueOperand()->getType());
      Writes.push_back({By, Offset, Offset + Size});
    } else if (Copy && U.getOperandNo() == 0 && Length) {
      Writes.push_back({By, Offset, Offset + Length->getZExtValue()});
    } else if (auto* Element = dyn_cast<GetElementPtrInst>(By);
               Element && Element->accumulateConstantOffset(Layout, Further)) {
      for (const Use& Inner : Element->uses()) {
        add(Inner, Offset + Further.getZExtValue(), Layout);
      }
    } else {
      Reads.push_back(&U);
    }
  }
};

/// Whether each iteration writes the whole variable before anything of it may be read in it.
bool overwrittenInEachIteration(const AllocaInst& Variable, const Loop& L,
                                const DominatorTree& Tree) {
  const DataLayout& Layout = Variable.getModule()->getDataLayout();
  std::optional<TypeSize> Size = Variable.getAllocationSize(Layout);
  if (!Size || Size->isScalable() || Size->getFixedValue() > 256) {
    return false;
  }
  Uses Of;
  for (const Use& U : Variable.uses()) {
    Of.add(U, 0, Layout);
  }
  return all_of(Of.Reads, [&](const Use* Read) {
    std::bitset<256> Known;
    for (const Written& W : Of.Writes) {
      if (L.contains(W.By) && Tree.dominates(W.By, *Read)) {
        for (uint64_t At = W.From; At < std::min(W.To, Size->getFixedValue()); ++At) {
          Known.set(At);
        }
      }
    }
    return L.contains(cast<Instruction>(Read->getUser())) && Known.count() >= Size->getFixedValue();
  });
}

/// Whether nothing keeps the variable's address: it is used where it is named.
bool namedOnly(const Graph& G, const AllocaInst& Variable, ObjectId O) {
  for (NodeId N = 0; N < G.Points.size(); ++N) {
    const Value* V = G.NodeValues[N];
    if (G.pointsTo(N, O) && (!V || V->stripInBoundsConstantOffsets() != &Variable)) {
      return false;
    }
  }
  return true;
}

/// Whether a stack variable begins anew in each iteration of the loop before it is used in it.
bool beginsInEachIteration(const AllocaInst& Variable, const Loop& L, const DominatorTree& Tree) {
  SmallVector<const Instruction*> Starts;
  for (const User* U : Variable.users()) {
    auto* Marker = dyn_cast<IntrinsicInst>(U);
    if (Marker && Marker->getIntrinsicID() == Intrinsic::lifetime_start) {
      if (!L.contains(Marker)) {
        return false;
      }
      Starts.push_back(Marker);
    }
  }
  return all_of(Variable.uses(), [&](const Use& U) {
    auto* By = dyn_cast<IntrinsicInst>(U.getUser());
    return (By && By->isLifetimeStartOrEnd()) ||
           any_of(Starts, [&](const Instruction* Start) { return Tree.dominates(Start, U); });
  });
}

/// The first node from which the object is reached, starting at Work and going through contents.
std::optional<NodeId> reach(const Graph& G, SmallVector<NodeId> Work, ObjectId Wanted) {
  DenseSet<NodeId> Seen;
  while (!Work.empty()) {
    NodeId N = Work.pop_back_val();
    if (!Seen.insert(N).second) {
      continue;
    }
    if (G.pointsTo(N, Wanted)) {
      return N;
    }
    for (ObjectId O : G.Points[N]) {
      if (O != Graph::Heap && G.Objects[O].Kind != ObjectKind::Param) {
        Work.append({G.Objects[O].Typed, G.Objects[O].Raw});
      }
    }
  }
  return std::nullopt;
}

}  // namespace

void solve(Graph& G, bool WithTrace) {
  Solver(G, WithTrace).run();
}

std::optional<NodeId> Graph::outlives(ObjectId O) const {
  if (pointsTo(HeapNode, O)) {
    return HeapNode;
  }
  // Before the sum of them, the one content that says which parameter it is.
  for (const auto& Levels : Params) {
    for (ObjectId P : Levels) {
      for (NodeId Content : {Objects[P].Typed, Objects[P].Raw}) {
        if (pointsTo(Content, O)) {
          return Content;
        }
      }
    }
  }
  if (pointsTo(PublicNode, O)) {
    return PublicNode;
  }
  return reach(*this, {ResultNode}, O);
}

std::optional<NodeId> Graph::loopCarried(const Site& S, const LoopInfo& Loops,
                                         const DominatorTree& Tree) const {
  const Loop* Inner = Loops.getLoopFor(S.Call->getParent());
  if (!Inner) {
    return std::nullopt;
  }
  SmallVector<NodeId> Carriers;
  for (const Loop* L = Inner; L; L = L->getParentLoop()) {
    for (const PHINode& Phi : L->getHeader()->phis()) {
      if (planted("loop-phi")) {
        break;
      }
      if (auto It = Nodes.find(&Phi); It != Nodes.end()) {
        Carriers.push_back(It->second);
      }
    }
  }
  for (const Object& O : Objects) {
    bool Carries = false;
    if (planted("loop-memory")) {
      break;
    }
    if (O.Kind == ObjectKind::Stack) {
      auto& Variable = *cast<AllocaInst>(O.Inst);
      Carries = !beginsInEachIteration(Variable, *Inner, Tree) &&
                !(namedOnly(*this, Variable, &O - Objects.data()) &&
                  overwrittenInEachIteration(Variable, *Inner, Tree));
    } else if (O.Kind == ObjectKind::Site) {
      Carries = !Inner->contains(O.Inst);
    }
    if (Carries) {
      Carriers.append({O.Typed, O.Raw});
    }
  }
  return reach(*this, std::move(Carriers), S.Object);
}

}  // namespace burrow
