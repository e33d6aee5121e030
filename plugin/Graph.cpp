// Nodes, objects, and the constraints of plain instructions; calls are in Calls.cpp. See Graph.h.
#include "Graph.h"

#include "GraphBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

Graph::Graph(Function& Fn) : F(Fn) {
  HeapNode = Objects.emplace_back(Object{ObjectKind::Heap, newNode()}).Content;
  ResultNode = Objects.emplace_back(Object{ObjectKind::Result, newNode()}).Content;
  Points[HeapNode].set(Heap);
  PublicNode = newNode();
  FreedNode = newNode();
  CalleeFreedNode = newNode();
  DistanceNode = newNode();
}

NodeId Graph::newNode(const Value* V) {
  Points.emplace_back();
  NodeValues.push_back(V);
  return Points.size() - 1;
}

ObjectId Graph::newObject(ObjectKind Kind, Instruction* Inst) {
  Objects.push_back({Kind, newNode(), Inst});
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
      G.copy(G.Objects[O].Content, G.PublicNode, nullptr);
    }
    for (unsigned Level = 0; Level < Summary::Levels; ++Level) {
      unsigned Next = std::min(Level + 1, Summary::Levels - 1);
      G.Points[G.Objects[Levels[Level]].Content].set(Levels[Next]);
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
  if (T->isIntOrIntVectorTy()) {
    return Ints.tracked(V) || (isa<ConstantExpr>(V) && mayHoldPointer(T));
  }
  return mayHoldPointer(T);
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

void GraphBuilder::keepDistance(const Value* Distance, NodeId Sink, Instruction* Why) {
  auto* Sub = cast<User>(Distance);
  for (const Use& Side : Sub->operands()) {
    const Value* Pointer = cast<Operator>(Side)->getOperand(0);
    if (followed(Pointer)) {
      G.copy(node(Pointer), Sink, Why);
    }
  }
}

/// Where the distance of two pointers goes: kept in memory or by a call, a block may be found
/// again by it; turned back into a pointer, it is one.
void GraphBuilder::distance(BinaryOperator& Sub) {
  SmallVector<Instruction*> Work{&Sub};
  SmallPtrSet<Instruction*, 16> Seen;
  while (!Work.empty()) {
    Instruction* I = Work.pop_back_val();
    if (!Seen.insert(I).second) {
      continue;
    }
    for (User* U : I->users()) {
      auto* By = cast<Instruction>(U);
      if (isa<IntToPtrInst>(By) || (isa<BinaryOperator>(By) && Ints.fromPointer(By))) {
        keepDistance(&Sub, G.HeapNode, By);
      } else if (isa<StoreInst, ReturnInst, AtomicRMWInst, AtomicCmpXchgInst, InsertValueInst>(
                     By) ||
                 (isa<CallBase>(By) && !isa<IntrinsicInst>(By))) {
        keepDistance(&Sub, G.DistanceNode, By);
      } else if (auto* Op = dyn_cast<BinaryOperator>(By); Op &&
                                                          (Op->isShift() || Op->isIntDivRem()) &&
                                                          Op->getOpcode() != Instruction::Shl) {
        continue;  // elements counted: no longer a way back to the byte
      } else if (isa<BinaryOperator, PHINode, SelectInst, FreezeInst, CastInst, IntrinsicInst>(
                     By)) {
        Work.push_back(By);
      }
    }
  }
}

void GraphBuilder::memory(Instruction& I) {
  if (auto* Load = dyn_cast<LoadInst>(&I)) {
    if ((Load->isAtomic() || Load->isVolatile()) && mayHoldPointer(I.getType())) {
      G.Points[node(&I)].set(Graph::Heap);
    }
    if (followed(&I)) {
      G.load(node(Load->getPointerOperand()), node(&I), &I);
    }
    return;
  }
  if (auto* Store = dyn_cast<StoreInst>(&I)) {
    const Value* V = Store->getValueOperand();
    if (auto* Byte = dyn_cast<LoadInst>(V); Byte && V->getType()->isIntegerTy(8)) {
      byteCopy(*Byte, *Store);
    }
    // Others see atomic and volatile memory; an integer made of a pointer is lost track of there.
    if (Store->isAtomic() || Store->isVolatile() || Ints.fromPointer(V)) {
      escape(V, &I);
    }
    if (followed(V)) {
      G.store(node(V), node(Store->getPointerOperand()), &I);
    }
    return;
  }
  if (auto* Swap = dyn_cast<AtomicCmpXchgInst>(&I)) {
    escape(Swap->getNewValOperand(), &I);
    if (mayHoldPointer(Swap->getNewValOperand()->getType())) {
      G.Points[node(&I)].set(Graph::Heap);
      G.store(node(Swap->getNewValOperand()), node(Swap->getPointerOperand()), &I);
      G.load(node(Swap->getPointerOperand()), node(&I), &I);
    }
    return;
  }
  auto* Update = cast<AtomicRMWInst>(&I);
  escape(Update->getValOperand(), &I);
  if (mayHoldPointer(I.getType())) {
    G.Points[node(&I)].set(Graph::Heap);
    if (followed(Update->getValOperand())) {
      G.store(node(Update->getValOperand()), node(Update->getPointerOperand()), &I);
    }
    G.load(node(Update->getPointerOperand()), node(&I), &I);
  }
}

/// A byte at a computed address that is stored again: part of a loop that copies an object.
void GraphBuilder::byteCopy(const LoadInst& Byte, StoreInst& Store) {
  auto* From = dyn_cast<GEPOperator>(Byte.getPointerOperand());
  if (isa<PHINode>(Byte.getPointerOperand()) || isa<LoadInst>(Byte.getPointerOperand()) ||
      (From && !From->hasAllConstantIndices())) {
    transfer(Store.getPointerOperand(), Byte.getPointerOperand(), &Store);
  }
}

void GraphBuilder::transfer(const Value* To, const Value* From, Instruction* Why) {
  NodeId Moved = G.newNode();
  G.load(node(From), Moved, Why);
  G.store(Moved, node(To), Why);
}

void GraphBuilder::visit(Instruction& I) {
  if (isa<AllocaInst>(I)) {
    G.Points[node(&I)].set(G.newObject(ObjectKind::Stack, &I));
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
    if (!Ints.tracked(&I)) {
      return;
    }
  }
  if (isa<IntToPtrInst>(I)) {
    G.Points[node(&I)].set(Graph::Heap);
  }
  bool Known = isa<UnaryOperator, BinaryOperator, CastInst, PHINode, FreezeInst, ExtractElementInst,
                   InsertElementInst, ShuffleVectorInst, ExtractValueInst, InsertValueInst>(I);
  if (Known && followed(&I)) {
    for (const Use& Op : I.operands()) {
      flow(Op, &I, &I);
    }
    return;
  }
  // The bits leave what is followed: a cast to a float, an instruction not known here.
  for (const Use& Op : I.operands()) {
    if (!isa<BasicBlock>(Op) && followed(Op) && (!Known || Ints.fromPointer(Op))) {
      escape(Op, &I);
    }
  }
  if (!Known && mayHoldPointer(I.getType())) {
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
