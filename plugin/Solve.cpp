// Propagation to the fixpoint, and the questions asked of it. See Graph.h.
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

}  // namespace burrow
