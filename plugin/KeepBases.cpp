// See KeepBases.h.
#include "KeepBases.h"

#include "BaseRoots.h"
#include "Options.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/EHPersonalities.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr const char* KeepTag = "burrow.keep";

/// What can be no collected object, and what no register holds.
bool mayBeCollected(const Value* Root) {
  if (isa<Constant, AllocaInst>(Root) || Root->getType()->isVectorTy()) {
    return false;
  }
  if (auto* A = dyn_cast<Argument>(Root)) {
    return !A->hasByValAttr();
  }
  auto* Call = dyn_cast<IntrinsicInst>(Root);
  return !Call || Call->getIntrinsicID() != Intrinsic::threadlocal_address;
}

/// Whether the instruction uses the address itself, and does not derive another.
bool usesAddress(const Instruction& I) {
  if (auto* Call = dyn_cast<IntrinsicInst>(&I)) {
    return !isa<DbgInfoIntrinsic>(Call) && !Call->isAssumeLikeIntrinsic();
  }
  return isa<LoadInst, StoreInst, AtomicRMWInst, AtomicCmpXchgInst, CallBase, ReturnInst,
             ResumeInst, InsertValueInst, VAArgInst>(I);
}

class Keeper {
 public:
  Keeper(Function& Of, FunctionAnalysisManager& Analyses)
      : F(Of),
        Tree(Analyses.getResult<DominatorTreeAnalysis>(Of)),
        Loops(Analyses.getResult<LoopAnalysis>(Of)),
        Roots(Of, Tree) {}

  bool run() {
    for (BasicBlock& Block : F) {
      if (Tree.isReachableFromEntry(&Block)) {
        for (Instruction& I : Block) {
          visit(I);
        }
      }
    }
    for (auto& [Key, Last] : Behind) {
      behind(Key.first, *Last);
    }
    return Changed;
  }

 private:
  void visit(Instruction& I) {
    if (!usesAddress(I)) {
      return;
    }
    for (Value* Operand : I.operand_values()) {
      const Derivation* D =
          Operand->getType()->isPtrOrPtrVectorTy() ? Roots.find(Operand) : nullptr;
      if (!D) {
        continue;
      }
      for (Value* Root : D->Roots) {
        if (Root != Operand && mayBeCollected(Root)) {
          keep(Root, *D, Operand, I);
        }
      }
    }
  }

  void keep(Value* Root, const Derivation& D, const Value* Derived, Instruction& User) {
    const Loop* Outermost = nullptr;
    auto* Made = dyn_cast<Instruction>(Root);
    for (Loop* L = Loops.getLoopFor(User.getParent()); L && !(Made && L->contains(Made));
         L = L->getParentLoop()) {
      Outermost = L;
    }
    auto* I = dyn_cast<Instruction>(Derived);
    const Loop* From = I ? Loops.getLoopFor(I->getParent()) : nullptr;
    bool Travels = D.Loose || D.Stepped || (D.Indexed && From && !From->contains(&User));
    if (!Outermost) {
      if (Travels && !planted("no-bases-behind")) {
        Behind[{Root, User.getParent()}] = &User;
      }
      return;
    }
    bool Moves = Travels || (D.Indexed && I && Outermost->contains(I));
    if (Moves && Done.insert({Root, Outermost}).second && !planted("no-bases-loop")) {
      afterLoop(Root, *Outermost);
    }
  }

  void afterLoop(Value* Root, const Loop& L) {
    SmallVector<BasicBlock*, 4> Exits, Latches;
    L.getUniqueExitBlocks(Exits);
    bool Any = false;
    for (BasicBlock* Exit : Exits) {
      // A loop that is left by an exception uses nothing, but for what is kept behind its uses.
      if (Exit->isEHPad() || isa<UnreachableInst>(Exit->getTerminator())) {
        continue;
      }
      Any = true;
      auto* Made = dyn_cast<Instruction>(Root);
      if (!Made || Tree.dominates(Made, Exit)) {
        use(Root, *Exit->getFirstInsertionPt());
        continue;
      }
      for (BasicBlock* From : predecessors(Exit)) {
        if (L.contains(From)) {
          use(Root, *From->getTerminator());
        }
      }
    }
    if (!Any) {
      L.getLoopLatches(Latches);
      for (BasicBlock* Latch : Latches) {
        use(Root, *Latch->getTerminator());
      }
    }
  }

  void behind(Value* Root, Instruction& User) {
    auto* Call = dyn_cast<CallInst>(&User);
    bool Before = User.isTerminator() || (Call && Call->isMustTailCall());
    use(Root, Before ? User : *User.getNextNode());
  }

  /// Before an instruction, once a root and place.
  void use(Value* Root, Instruction& Place) {
    Instruction* At = &Place;
    if (Instruction* Previous = Place.getPrevNode(); Place.isTerminator() && Previous) {
      auto* Call = dyn_cast<CallInst>(Previous);
      At = Call && Call->isMustTailCall() ? Previous : At;
    }
    if (!Used.insert({Root, At}).second) {
      return;
    }
    IRBuilder<> B(At);
    auto* Takes = FunctionType::get(B.getVoidTy(), {Root->getType()}, false);
    CallInst* Keep = B.CreateCall(InlineAsm::get(Takes, "", "r", /*hasSideEffects=*/true), {Root});
    Keep->setMemoryEffects(MemoryEffects::inaccessibleMemOnly());
    Keep->addFnAttr(Attribute::NoUnwind);
    Keep->addFnAttr(Attribute::WillReturn);
    Keep->addFnAttr(Attribute::NoCallback);
    Keep->setMetadata(KeepTag, MDNode::get(F.getContext(), {}));
    Changed = true;
  }

  Function& F;
  const DominatorTree& Tree;
  const LoopInfo& Loops;
  BaseRoots Roots;
  DenseSet<std::pair<Value*, const Loop*>> Done;
  DenseSet<std::pair<Value*, Instruction*>> Used;
  /// For each root and block the last use of what is computed from it.
  MapVector<std::pair<Value*, BasicBlock*>, Instruction*> Behind;
  bool Changed = false;
};

bool drop(Function& F) {
  bool Any = false;
  for (Instruction& I : make_early_inc_range(instructions(F))) {
    if (I.hasMetadata(KeepTag)) {
      I.eraseFromParent();
      Any = true;
    }
  }
  return Any;
}

PreservedAnalyses same(bool Changed) {
  PreservedAnalyses Kept = PreservedAnalyses::none();
  Kept.preserveSet<CFGAnalyses>();
  return Changed ? Kept : PreservedAnalyses::all();
}

/// Code generation without optimisation has each variable in its slot.
bool hasNoBases(const Function& F) {
  bool Funclets =
      F.hasPersonalityFn() && isScopedEHPersonality(classifyEHPersonality(F.getPersonalityFn()));
  return F.hasFnAttribute(Attribute::Naked) || F.isPresplitCoroutine() ||
         F.hasFnAttribute(Attribute::OptimizeNone) || Funclets;
}

}  // namespace

PreservedAnalyses KeepBasesPass::run(Function& F, FunctionAnalysisManager& Analyses) {
  if (planted("no-bases") || hasNoBases(F)) {
    return PreservedAnalyses::all();
  }
  // Twice over would be no more.
  bool Dropped = drop(F);
  return same(Keeper(F, Analyses).run() || Dropped);
}

PreservedAnalyses DropKeptBasesPass::run(Function& F, FunctionAnalysisManager& /*Analyses*/) {
  return same(drop(F));
}

}  // namespace burrow
