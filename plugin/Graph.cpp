// Nodes, objects, and the constraints of plain instructions; calls are in Calls.cpp. See Graph.h.
#include "Graph.h"

#include "GraphBuilder.h"
#include "Options.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

Graph::Graph(Function& Fn) : F(Fn) {
  HeapNode = newNode();
  ResultNode = newNode();
  Objects.push_back({ObjectKind::Heap, HeapNode, HeapNode});
  Objects.push_back({ObjectKind::Result, ResultNode, ResultNode});
  Points[HeapNode].set(Heap);
  PublicNode = newNode();
  FreedNode = newNode();
  CalleeFreedNode = newNode();
}

NodeId Graph::newNode(const Value* V) {
  Points.emplace_back();
  NodeValues.push_back(V);
  return Points.size() - 1;
}

ObjectId Graph::newObject(ObjectKind Kind, Instruction* Inst) {
  Objects.push_back({Kind, newNode(), newNode(), Inst});
  return Objects.size() - 1;
}

void GraphBuilder::parameters() {
  G.Params.resize(G.F.arg_size());
  for (const Argument& A : G.F.args()) {
    if (!mayHoldPointer(A.getType())) {
      continue;
    }
    auto& Levels = G.Params[A.getArgNo()];
    for (unsigned Level = 0; Level < Summary::Levels; ++Level) {
      ObjectId O = G.newObject(ObjectKind::Param);
      G.Objects[O].Param = A.getArgNo();
      G.Objects[O].Level = Level;
      Levels.push_back(O);
      G.copy(G.Objects[O].Typed, G.PublicNode, nullptr);
      G.copy(G.Objects[O].Raw, G.PublicNode, nullptr);
    }
    for (unsigned Level = 0; Level < Summary::Levels; ++Level) {
      G.Points[G.Objects[Levels[Level]].Typed].set(Levels[Summary::below(Level, Planes::Typed)]);
      G.Points[G.Objects[Levels[Level]].Raw].set(Levels[Summary::below(Level, Planes::Raw)]);
    }
    G.Points[node(&A)].set(Levels[0]);
  }
}

NodeId GraphBuilder::node(const Value* V) {
  auto [It, New] = G.Nodes.try_emplace(V, 0);
  if (!New) {
    return It->second;
  }
  NodeId N = G.newNode(V);
  G.Nodes[V] = N;
  if (auto* C = dyn_cast<Constant>(V)) {
    constant(C, N);
  }
  return N;
}

void GraphBuilder::constant(const Constant* C, NodeId N) {
  if (isa<Function, ConstantData, BlockAddress>(C)) {
    return;
  }
  if (isa<GlobalValue>(C)) {
    G.Points[N].set(Graph::Heap);
    return;
  }
  if (auto* Cast = dyn_cast<ConstantExpr>(C); Cast && Cast->getOpcode() == Instruction::IntToPtr) {
    G.Points[N].set(Graph::Heap);
    return;
  }
  for (const Use& Op : C->operands()) {
    if (auto* Inner = dyn_cast<Constant>(Op)) {
      constant(Inner, N);
    }
  }
}

bool GraphBuilder::followed(const Value* V) const {
  const Type* T = V->getType();
  return hasPointer(T) || Ints.tracked(V) || (isa<ConstantExpr>(V) && mayHoldPointer(T));
}

void GraphBuilder::flow(const Value* From, const Value* To, Instruction* Why) {
  if (followed(From)) {
    G.copy(node(From), node(To), Why);
  }
}

void GraphBuilder::escape(const Value* V, Instruction* Why) {
  if (followed(V)) {
    G.copy(node(V), G.HeapNode, Why);
  }
}

void GraphBuilder::distance(BinaryOperator& Sub) {
  NodeId Sides[2];
  for (unsigned Side : {0, 1}) {
    Sides[Side] = node(cast<Operator>(Sub.getOperand(Side))->getOperand(0));
  }
  if (!planted("distance")) {
    G.Distances.push_back({Sides[0], Sides[1], node(&Sub), &Sub});
  }
}

void GraphBuilder::memory(Instruction& I) {
  if (auto* Load = dyn_cast<LoadInst>(&I)) {
    if ((Load->isAtomic() || Load->isVolatile()) && carriesBits(I.getType())) {
      G.Points[node(&I)].set(Graph::Heap);
    }
    Planes Of = readBy(*Load);
    if (followed(&I) && !(Of == Planes::Raw && planted("raw-load"))) {
      G.load(node(Load->getPointerOperand()), node(&I), &I, Of);
    }
    return;
  }
  if (auto* Store = dyn_cast<StoreInst>(&I)) {
    const Value* V = Store->getValueOperand();
    // Others see atomic and volatile memory; an integer made of a pointer is lost track of there.
    if (Store->isAtomic() || Store->isVolatile() || Ints.fromPointer(V)) {
      escape(V, &I);
    }
    if (followed(V)) {
      G.store(node(V), node(Store->getPointerOperand()), &I, writtenBy(*Store));
    }
    return;
  }
  if (auto* Swap = dyn_cast<AtomicCmpXchgInst>(&I)) {
    escape(Swap->getNewValOperand(), &I);
    G.Points[node(&I)].set(Graph::Heap);
    if (followed(Swap->getNewValOperand())) {
      G.store(node(Swap->getNewValOperand()), node(Swap->getPointerOperand()), &I);
    }
    G.load(node(Swap->getPointerOperand()), node(&I), &I);
    return;
  }
  auto* Update = cast<AtomicRMWInst>(&I);
  escape(Update->getValOperand(), &I);
  G.Points[node(&I)].set(Graph::Heap);
  if (followed(Update->getValOperand())) {
    G.store(node(Update->getValOperand()), node(Update->getPointerOperand()), &I);
  }
  G.load(node(Update->getPointerOperand()), node(&I), &I);
}

void GraphBuilder::transfer(const Value* To, const Value* From, Instruction* Why) {
  NodeId Moved = G.newNode();
  G.load(node(From), Moved, Why);
  G.store(Moved, node(To), Why);
}

void GraphBuilder::visit(Instruction& I) {
  if (isa<AllocaInst>(I)) {
    ObjectId Variable = G.newObject(ObjectKind::Stack, &I);  // before: it makes nodes
    G.Points[node(&I)].set(Variable);
  } else if (isa<LoadInst, StoreInst, AtomicCmpXchgInst, AtomicRMWInst>(I)) {
    memory(I);
  } else if (auto* Call = dyn_cast<CallBase>(&I)) {
    call(*Call);
  } else if (auto* Return = dyn_cast<ReturnInst>(&I)) {
    if (const Value* V = Return->getReturnValue()) {
      if (Ints.fromPointer(V)) {
        escape(V, &I);
      }
      if (followed(V)) {
        G.copy(node(V), G.ResultNode, &I);
      }
    }
  } else if (isa<LandingPadInst, VAArgInst, CatchPadInst, CleanupPadInst>(I)) {
    G.Points[node(&I)].set(Graph::Heap);
  } else if (auto* Element = dyn_cast<GetElementPtrInst>(&I)) {
    flow(Element->getPointerOperand(), &I, &I);
    // An address made of an integer in disguise.
    if (isa<ConstantPointerNull>(Element->getPointerOperand())) {
      G.Points[node(&I)].set(Graph::Heap);
    }
    for (const Use& Index : Element->indices()) {
      if (Ints.fromPointer(Index)) {
        escape(Index, &I);
      }
      flow(Index, &I, &I);  // the way from one object to another
    }
  } else if (auto* Choice = dyn_cast<SelectInst>(&I)) {
    if (followed(&I)) {
      flow(Choice->getTrueValue(), &I, &I);
      flow(Choice->getFalseValue(), &I, &I);
    }
  } else if (isa<CmpInst, BranchInst, SwitchInst, UnreachableInst, FenceInst, IndirectBrInst>(I)) {
    return;
  } else if (isa<ResumeInst>(I)) {
    escape(I.getOperand(0), &I);
  } else {
    plain(I);
  }
}

void GraphBuilder::plain(Instruction& I) {
  if (isPointerDistance(&I)) {
    distance(cast<BinaryOperator>(I));
    return;
  }
  if (isa<IntToPtrInst>(I)) {
    G.Points[node(&I)].set(Graph::Heap);
  }
  if (!hasPointer(I.getType()) && !carriesBits(I.getType()) && !I.mayHaveSideEffects()) {
    return;  // one bit
  }
  bool Known = isa<UnaryOperator, BinaryOperator, CastInst, PHINode, FreezeInst, ExtractElementInst,
                   InsertElementInst, ShuffleVectorInst, ExtractValueInst, InsertValueInst>(I);
  if (Known && followed(&I)) {
    for (const Use& Op : I.operands()) {
      flow(Op, &I, &I);
    }
    return;
  }
  // The bits leave what is followed: an instruction not known here.
  for (const Use& Op : I.operands()) {
    if (!isa<BasicBlock>(Op) && followed(Op) && (!Known || Ints.fromPointer(Op))) {
      escape(Op, &I);
    }
  }
  if (!Known && carriesBits(I.getType())) {
    G.Points[node(&I)].set(Graph::Heap);
  }
}

void GraphBuilder::run() {
  if (G.F.isPresplitCoroutine()) {
    G.Refused = "in a coroutine";
  } else if (G.F.hasFnAttribute(Attribute::Naked)) {
    G.Refused = "in a naked function";
  } else if (G.F.callsFunctionThatReturnsTwice()) {
    G.Refused = "in a function that calls setjmp";
  }
  parameters();
  for (Instruction& I : instructions(G.F)) {
    if (isa<CallBrInst>(I)) {
      G.Refused = "in a function with asm goto";
    }
    if (auto* Call = dyn_cast<CallInst>(&I); Call && Call->isMustTailCall()) {
      G.Refused = "in a function that must call its last function in its own frame";
    }
    visit(I);
  }
}

void buildGraph(Graph& G, const SummaryTable& Summaries) {
  GraphBuilder(G, Summaries).run();
}

}  // namespace burrow
