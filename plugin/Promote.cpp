// Verdicts and the rewriting. See Promote.h.
#include "Promote.h"

#include "Carried.h"
#include "Frames.h"
#include "Options.h"
#include "Padding.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SCCIterator.h"
#include "llvm/Analysis/CFG.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

/// What the heap guarantees.
constexpr uint64_t SlotAlign = 16;

class Judge {
 public:
  Judge(const Graph& Of, FunctionAnalysisManager& Analyses, bool Recursive)
      : G(Of),
        Loops(Analyses.getResult<LoopAnalysis>(Of.F)),
        InLoop(Of, Loops, Analyses.getResult<DominatorTreeAnalysis>(Of.F)),
        Budget(frameBudget(Recursive)),
        Taken(slotsOf(Of.F)) {
    findCycles();
  }

  Verdict verdict(const Site& S) {
    Verdict V;
    V.Of = S;
    lifetime(V);
    if (V.Escapes) {
      return V;
    }
    V.Escapes = true;
    std::optional<uint64_t> Size = allocationSize(*S.Call, S.Kind);
    bool Ours = S.Kind == Callee::Make || S.Kind == Callee::MakeArray;
    if (Ours && !typeFacts(*S.Call).Info) {
      V.Reason = "of a type not known here";
    } else if (Ours && typeFacts(*S.Call).HasDestructor) {
      V.Reason = "its type has a destructor";
    } else if (!Size) {
      V.Reason = "non-constant size";
    } else if (*Size > (Ours ? Options::maxObject() : Options::elideBudget())) {
      V.Reason = "too large for stack";
    } else if (!(Taken + slotBytes(*Size, S.Kind)).fits(Budget)) {
      bool Smaller = (Taken + slotBytes(*Size, S.Kind)).fits(frameBudget(/*Recursive=*/false));
      V.Reason = Smaller ? "too large for the frame of a function that may call itself"
                         : "the frame's budget is spent";
    } else if (Ours || freed(V)) {
      V.Escapes = false;
      V.Bytes = *Size;
      V.Moved = Options::promote() && (Ours || Options::elideNew());
      if (V.Moved) {
        Taken = Taken + slotBytes(*Size, S.Kind);
      }
    }
    return V;
  }

 private:
  /// Blocks in cycles that LoopInfo knows nothing of.
  void findCycles() {
    ReversePostOrderTraversal<const Function*> Order(&G.F);
    if (!containsIrreducibleCFG<const BasicBlock*>(Order, Loops)) {
      return;
    }
    for (auto It = scc_begin(&G.F); !It.isAtEnd(); ++It) {
      if (It.hasCycle()) {
        Cyclic.insert(It->begin(), It->end());
      }
    }
  }

  void lifetime(Verdict& V) {
    if (G.Refused) {
      V.Reason = G.Refused;
    } else if ((V.Via = G.outlives(V.Of.Object))) {
      V.Reason = "";
    } else if (Cyclic.contains(V.Of.Call->getParent())) {
      V.Reason = "in a loop with several entries";
    } else if ((V.Via = InLoop.by(V.Of))) {
      V.Reason = "outlives its iteration of the loop";
    } else {
      V.Escapes = false;
    }
  }

  /// For operator new and malloc: every free that may be of the block is of nothing else.
  bool freed(Verdict& V) const {
    if (G.pointsTo(G.CalleeFreedNode, V.Of.Object) && !planted("delete-sink")) {
      V.Reason = "may be freed by a function called";
      return false;
    }
    for (Instruction& I : instructions(G.F)) {
      auto* Call = dyn_cast<CallBase>(&I);
      if (!Call || calleeOf(*Call) != Callee::Free) {
        continue;
      }
      auto At = G.Nodes.find(Call->getArgOperand(0));
      if (At == G.Nodes.end() || !G.pointsTo(At->second, V.Of.Object)) {
        continue;
      }
      if (G.Points[At->second].count() != 1) {
        V.Reason = "freed through a pointer that may be another block's";
        return false;
      }
      V.Frees.push_back(Call);
    }
    return true;
  }

  const Graph& G;
  const LoopInfo& Loops;
  Carried InLoop;
  FrameBytes Budget, Taken;
  SmallPtrSet<const BasicBlock*, 8> Cyclic;
};

/// Removes a call that must not have users; of an invoke the normal way remains.
void removeCall(CallBase& Call) {
  if (auto* Invoke = dyn_cast<InvokeInst>(&Call)) {
    BranchInst::Create(Invoke->getNormalDest(), Invoke->getIterator());
    Invoke->getUnwindDest()->removePredecessor(Invoke->getParent());
  }
  Call.eraseFromParent();
}

/// As the heap's objects are; of a type that is known, without its padding.
void zero(IRBuilder<>& B, AllocaInst* Slot, const Verdict& V) {
  ByteRanges Ranges = {{0, V.Bytes}};
  if (V.Of.Kind == Callee::Make) {
    Ranges = notedValueBytes(*typeFacts(*V.Of.Call).Info, V.Bytes);
  }
  for (ByteRange R : Ranges) {
    Value* At = B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Slot, R.Begin);
    B.CreateMemSet(At, B.getInt8(0), R.End - R.Begin, commonAlignment(Align(SlotAlign), R.Begin));
  }
}

void move(Function& F, const Verdict& V, bool InLoop) {
  IRBuilder<> B(&*F.getEntryBlock().getFirstInsertionPt());
  uint64_t Bytes = std::max<uint64_t>(V.Bytes, 1);
  auto* Slot = B.CreateAlloca(ArrayType::get(B.getInt8Ty(), Bytes), nullptr, "burrow.slot");
  markSlot(*Slot, V.Of.Kind);
  CallBase& Call = *V.Of.Call;
  B.SetInsertPoint(&Call);
  if (InLoop) {
    // The object of the iteration before is known to be dead.
    B.CreateLifetimeStart(Slot, B.getInt64(Bytes));
  }
  if (V.Of.Kind != Callee::New) {
    zero(B, Slot, V);
  }
  for (CallBase* Free : V.Frees) {
    removeCall(*Free);
  }
  Call.replaceAllUsesWith(Slot);
  removeCall(Call);
}

}  // namespace

std::vector<Verdict> decide(const Graph& G, FunctionAnalysisManager& Analyses, bool Recursive) {
  Judge J(G, Analyses, Recursive);
  std::vector<Verdict> Verdicts;
  for (const Site& S : G.Sites) {
    Verdicts.push_back(J.verdict(S));
  }
  return Verdicts;
}

bool promote(Function& F, ArrayRef<Verdict> Verdicts, FunctionAnalysisManager& Analyses) {
  const LoopInfo& Loops = Analyses.getResult<LoopAnalysis>(F);
  SmallVector<std::pair<const Verdict*, bool>> Moves;
  for (const Verdict& V : Verdicts) {
    if (V.Moved) {
      Moves.push_back({&V, Loops.getLoopFor(V.Of.Call->getParent()) != nullptr});
    }
  }
  for (auto [V, InLoop] : Moves) {
    move(F, *V, InLoop);
  }
  if (Moves.empty()) {
    return false;
  }
  // A tail call promises that the callee sees nothing of this frame.
  for (Instruction& I : instructions(F)) {
    if (auto* Call = dyn_cast<CallInst>(&I)) {
      Call->setTailCall(false);
    }
  }
  return true;
}

}  // namespace burrow
