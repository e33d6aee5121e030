// The constraints of calls: intrinsics, allocations, functions with a summary and without. See
// Graph.h.
#include "GraphBuilder.h"
#include "Options.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

void GraphBuilder::call(CallBase& Call) {
  if (auto* I = dyn_cast<IntrinsicInst>(&Call); I && intrinsic(*I)) {
    return;
  }
  for (unsigned N = 0; N < Call.getNumOperandBundles(); ++N) {
    for (const Use& Op : Call.getOperandBundleAt(N).Inputs) {
      escape(Op, &Call);
    }
  }
  // Lengths without types, as -O0 has them, are no way out by a function that ends the program.
  if (const Function* F = Call.getCalledFunction();
      F && Call.doesNotReturn() && F->getName().starts_with("_ZN6burrow8internal") &&
      F->getName().contains("panic_")) {
    return;
  }
  // Neither an integer made of a pointer nor a part of one is followed further than its function.
  for (const Use& A : Call.args()) {
    if (Ints.fromPointer(A) || (followed(A) && !mayHoldPointer(A->getType()))) {
      escape(A, &Call);
    }
  }
  // Told of a pointer, the collector marks an object of its own heap or does nothing.
  if (const Function* F = Call.getCalledFunction(); F && F->getName() == "burrow_gc_shade") {
    return;
  }
  // Empty assembly that claims neither a result nor memory does nothing: a barrier's pin, say.
  if (auto* Asm = dyn_cast<InlineAsm>(Call.getCalledOperand());
      Asm && StringRef(Asm->getAsmString()).empty() && Call.getType()->isVoidTy() &&
      !StringRef(Asm->getConstraintString()).contains("memory")) {
    return;
  }
  Callee Kind = calleeOf(Call);
  if (Kind == Callee::ClosureMade) {
    closure(Call);
    return;
  }
  if (Kind == Callee::ClosureUsed) {
    // What the code does to them was charged when they were joined, in this run and in no later
    // one: the marks are gone then. To store into them is to store into the heap.
    G.Optimistic |= !planted("closure-used");
    G.Points[node(&Call)].set(Graph::Heap);
    return;
  }
  if (Kind != Callee::Other) {
    allocation(Call, Kind);
    return;
  }
  const Function* F = Call.getCalledFunction();
  if (F && F->arg_size() == Call.arg_size()) {
    if (const Summary* S = Summaries.find(*F)) {
      known(Call, *S);
      return;
    }
    if (ArrayRef<unsigned> Linked = linkedParams(F->getName());
        F->isDeclaration() && !Linked.empty() && Linked.back() < F->arg_size()) {
      known(Call, Summary::linking(Linked));
      return;
    }
  }
  unknown(Call);
}

bool GraphBuilder::memoryIntrinsic(IntrinsicInst& Call) {
  if (auto* Set = dyn_cast<AnyMemSetInst>(&Call)) {
    if (followed(Set->getValue())) {
      G.store(node(Set->getValue()), node(Set->getRawDest()), &Call, Planes::Raw);
    }
    return true;
  }
  auto* Move = dyn_cast<AnyMemTransferInst>(&Call);
  if (!Move) {
    return false;
  }
  NodeId To = node(Move->getRawDest()), From = node(Move->getRawSource());
  NodeId Pointers = G.newNode(), Rest = G.newNode();
  G.load(From, Pointers, &Call, Planes::Typed);
  G.load(From, Rest, &Call, Planes::Raw);
  G.store(Pointers, To, &Call, keepsTypes(*Move) ? Planes::Typed : Planes::Raw);
  G.store(Rest, To, &Call, Planes::Raw);
  if (Move->isVolatile()) {
    G.copy(Pointers, G.HeapNode, &Call);
    G.copy(Rest, G.HeapNode, &Call);
  }
  return true;
}

bool GraphBuilder::intrinsic(IntrinsicInst& Call) {
  if (memoryIntrinsic(Call) || isHarmlessIntrinsic(Call)) {
    return true;
  }
  switch (Call.getIntrinsicID()) {
    case Intrinsic::vastart:
      G.store(G.HeapNode, node(Call.getArgOperand(0)), &Call);
      return true;
    case Intrinsic::vacopy:
      transfer(Call.getArgOperand(0), Call.getArgOperand(1), &Call);
      return true;
    case Intrinsic::vaend:
      return true;
    case Intrinsic::launder_invariant_group:
    case Intrinsic::strip_invariant_group:
    case Intrinsic::threadlocal_address:
    case Intrinsic::ptr_annotation:
      flow(Call.getArgOperand(0), &Call, &Call);
      return true;
    case Intrinsic::masked_load:
    case Intrinsic::masked_gather:
    case Intrinsic::masked_expandload:
      if (followed(&Call)) {
        G.load(node(Call.getArgOperand(0)), node(&Call), &Call);
        flow(Call.getArgOperand(Call.arg_size() - 1), &Call, &Call);  // where nothing is loaded
      }
      return true;
    case Intrinsic::masked_store:
    case Intrinsic::masked_scatter:
    case Intrinsic::masked_compressstore:
      if (followed(Call.getArgOperand(0))) {
        G.store(node(Call.getArgOperand(0)), node(Call.getArgOperand(1)), &Call);
      }
      return true;
    default:
      break;
  }
  if (!Call.doesNotAccessMemory()) {
    return false;
  }
  for (const Use& A : Call.args()) {
    if (followed(&Call)) {
      flow(A, &Call, &Call);
    } else if (hasPointer(A->getType()) || Ints.fromPointer(A)) {
      escape(A, &Call);
    }
  }
  return true;
}

void GraphBuilder::allocation(CallBase& Call, Callee Kind) {
  if (Kind == Callee::Free) {
    if (followed(Call.getArgOperand(0))) {
      G.copy(node(Call.getArgOperand(0)), G.FreedNode, &Call);
    }
    return;
  }
  if (Kind == Callee::FreeOther) {
    for (const Use& A : Call.args()) {
      escape(A, &Call);
    }
    if (mayHoldPointer(Call.getType())) {
      G.Points[node(&Call)].set(Graph::Heap);
    }
    return;
  }
  ObjectId O = G.newObject(ObjectKind::Site, &Call);
  G.Points[node(&Call)].set(O);
  G.Sites.push_back({&Call, Kind, O});
}

GraphBuilder::ArgumentLevels::ArgumentLevels(Graph& Of, NodeId Argument, Instruction* By)
    : G(Of), Why(By) {
  Nodes[0] = Argument;
}

NodeId GraphBuilder::ArgumentLevels::operator[](unsigned Level) {
  if (Nodes[Level]) {
    return *Nodes[Level];
  }
  const unsigned First = Summary::depth(Level);
  for (unsigned At : {First, First + 2}) {
    Nodes[At] = G.newNode();
  }
  G.MayBeEmpty.set(*Nodes[First + 2]);
  if (First == 1) {
    G.load(*Nodes[0], *Nodes[1], Why, Planes::Typed);
    G.load(*Nodes[0], *Nodes[3], Why, Planes::Raw);
    return *Nodes[Level];
  }
  // Over pointers alone, and over at least one value in another form.
  NodeId ByPointers = G.newNode(), Otherwise = G.newNode();
  for (unsigned At : {1, 2}) {
    G.copy((*this)[At], ByPointers, Why);
    G.copy((*this)[At + 2], Otherwise, Why);
  }
  G.MayBeEmpty.set(Otherwise);
  G.load(ByPointers, *Nodes[2], Why, Planes::Typed);
  G.load(ByPointers, *Nodes[4], Why, Planes::Raw);
  G.load(Otherwise, *Nodes[4], Why);
  return *Nodes[Level];
}

void GraphBuilder::unknown(CallBase& Call) {
  bool HasResult = hasPointer(Call.getType()) || carriesBits(Call.getType());
  // What cannot write and does not throw hands out what it reads by its result alone.
  bool ReadsOnly = !Call.isInlineAsm() && Call.onlyReadsMemory() && Call.doesNotThrow();
  for (unsigned N = 0; N < Call.arg_size(); ++N) {
    const Value* A = Call.getArgOperand(N);
    if (!followed(A)) {
      continue;
    }
    bool Kept = Call.isInlineAsm() || !Call.doesNotCapture(N);
    if (Kept && !ReadsOnly) {
      escape(A, &Call);
      continue;
    }
    if (!Kept && Call.doesNotAccessMemory(N)) {
      continue;
    }
    if (ReadsOnly && !HasResult) {
      continue;
    }
    NodeId Content = G.newNode();
    G.load(node(A), Content, &Call);
    if (ReadsOnly) {
      G.load(Content, Content, &Call);
      G.copy(Content, node(&Call), &Call);
      if (Kept) {
        flow(A, &Call, &Call);
      }
      continue;
    }
    G.copy(Content, G.HeapNode, &Call);
    if (!Call.onlyReadsMemory(N)) {
      G.store(G.HeapNode, node(A), &Call);
    }
    if (!Call.hasFnAttr(Attribute::NoFree) && !Call.paramHasAttr(N, Attribute::NoFree)) {
      G.copy(node(A), G.CalleeFreedNode, &Call);
      G.copy(node(A), G.FreedNode, &Call);
    }
  }
  if (HasResult) {
    if (const Value* Returned = Call.getReturnedArgOperand()) {
      flow(Returned, &Call, &Call);
    } else {
      G.Points[node(&Call)].set(Graph::Heap);
    }
  }
}

/// Charges captures with what their code may do to them whenever it is called, with arguments that
/// are not known here.
void GraphBuilder::closure(CallBase& Call) {
  const Value* Captures = Call.getArgOperand(0);
  flow(Captures, &Call, &Call);
  const Function* Code = closureCode(Call);
  const Summary* S = Code ? Summaries.find(*Code) : nullptr;
  if (planted("closure-charge")) {
    return;
  }
  G.Optimistic |= S && S->Optimistic;
  if (!S) {
    escape(Captures, &Call);
    return;
  }
  const unsigned Own = Code->hasParamAttribute(0, Attribute::StructRet) ? 1 : 0;
  ArgumentLevels Levels(G, node(Captures), &Call);
  for (const Flow& Fl : S->Flows) {
    bool Into = Fl.Sink == SinkKind::Content && Fl.SinkParam == Own;
    if (Fl.Param != Own) {
      if (Into) {
        G.store(G.HeapNode, Levels[Fl.SinkLevel], &Call, Fl.SinkPlane);
      }
    } else if (Into) {
      G.store(Levels[Fl.Level], Levels[Fl.SinkLevel], &Call, Fl.SinkPlane);
    } else if (Fl.Sink == SinkKind::Freed) {
      G.copy(Levels[Fl.Level], G.CalleeFreedNode, &Call);
      G.copy(Levels[Fl.Level], G.FreedNode, &Call);
    } else {
      G.copy(Levels[Fl.Level], G.HeapNode, &Call);
    }
  }
  for (auto [Param, Level] : S->HeapContent) {
    if (Param == Own) {
      G.store(G.HeapNode, Levels[Level], &Call);
    }
  }
}

void GraphBuilder::known(CallBase& Call, const Summary& S) {
  const Function& F = *Call.getCalledFunction();
  G.Optimistic |= S.Optimistic;
  std::vector<std::optional<ArgumentLevels>> Levels(Call.arg_size());
  auto Level = [&](unsigned Param, unsigned N) -> std::optional<NodeId> {
    const Value* A = Call.getArgOperand(Param);
    if (!followed(A)) {
      return std::nullopt;
    }
    if (!Levels[Param]) {
      Levels[Param].emplace(G, node(A), &Call);
    }
    return (*Levels[Param])[N];
  };
  bool HasResult = followed(&Call);
  for (const Flow& Fl : S.Flows) {
    if (Fl.Level == 0 && F.hasParamAttribute(Fl.Param, Attribute::ByVal)) {
      continue;  // the address of the callee's own copy
    }
    if ((planted("summary-level") && Summary::depth(Fl.Level) == 2) ||
        (planted("closure-charge") && F.getName().contains("clE"))) {
      continue;
    }
    std::optional<NodeId> From = Level(Fl.Param, Fl.Level);
    if (!From) {
      continue;
    }
    switch (Fl.Sink) {
      case SinkKind::Heap:
        G.copy(*From, G.HeapNode, &Call);
        break;
      case SinkKind::Freed:
        G.copy(*From, G.CalleeFreedNode, &Call);
        G.copy(*From, G.FreedNode, &Call);
        break;
      case SinkKind::Result:
        if (HasResult) {
          G.copy(*From, node(&Call), &Call);
        }
        break;
      case SinkKind::Content:
        if (std::optional<NodeId> To = Level(Fl.SinkParam, Fl.SinkLevel)) {
          G.store(*From, *To, &Call, Fl.SinkPlane);
        }
        break;
    }
  }
  for (auto [Param, N] : S.HeapContent) {
    if (std::optional<NodeId> To = Level(Param, N)) {
      G.store(G.HeapNode, *To, &Call);
    }
  }
  if (S.HeapResult && HasResult) {
    G.copy(G.HeapNode, node(&Call), &Call);
  }
}

}  // namespace burrow
