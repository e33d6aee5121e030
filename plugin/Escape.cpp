// See Escape.h.
#include "Escape.h"

#include "Diagnose.h"
#include "Frames.h"
#include "Hidden.h"
#include "Options.h"
#include "Promote.h"
#include "Recursion.h"
#include "Sidecar.h"
#include "TypePuns.h"
#include "llvm/ADT/SCCIterator.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/DeadStoreElimination.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace burrow {

namespace {

/// Carries a function's summary from the early run to the late one, and through LTO.
constexpr const char* SummaryAttribute = "burrow-escape-3";
/// Functions beyond this size are left alone: their callers' arguments escape.
constexpr unsigned MaxInstructions = 50000;
/// Runs over a cycle of the call graph until its summaries must have settled.
constexpr unsigned MaxRounds = 40;

class ModuleAnalysis {
 public:
  ModuleAnalysis(Module& Of, FunctionAnalysisManager& Manager, bool IsLate)
      : M(Of), Analyses(Manager), Late(IsLate) {}

  void summarise();
  bool promoteAll();
  void keepSummaries();

  void keepForOthers() { writeSidecar(M, Table); }

 private:
  struct Result {
    std::unique_ptr<Graph> G;
    bool Recursive = false;
  };

  /// In a late run, of a function that another file may define as well, what the source said holds.
  bool summarisedAnew(const Function& F) const { return !Late || F.hasExactDefinition(); }

  void component(ArrayRef<Function*> Functions, bool Cycle);
  /// Whether the function's summary changed.
  bool analyse(Function& F, bool Recursive);

  Module& M;
  FunctionAnalysisManager& Analyses;
  bool Late;
  SummaryTable Table;
  std::map<Function*, Result> Results;
};

void ModuleAnalysis::summarise() {
  for (const Function& F : M) {
    if (!F.hasFnAttribute(SummaryAttribute)) {
      continue;
    }
    std::optional<Summary> S =
        Summary::parse(F.getFnAttribute(SummaryAttribute).getValueAsString());
    if (S && S->fits(F) && (F.isDeclaration() || !summarisedAnew(F))) {
      Table.set(F, std::move(*S));
    }
  }
  addSidecarSummaries(M, Table);
  CallGraph Calls(M);
  // The code of a closure is looked at before the function that makes it.
  for (Function& F : M) {
    for (Instruction& I : instructions(F)) {
      auto* Call = dyn_cast<CallBase>(&I);
      if (Call && calleeOf(*Call) == Callee::ClosureMade) {
        if (Function* Code = closureCode(*Call)) {
          Calls[&F]->addCalledFunction(Call, Calls[Code]);
        }
      }
    }
  }
  for (auto It = scc_begin(&Calls); !It.isAtEnd(); ++It) {
    SmallVector<Function*> Functions;
    for (CallGraphNode* Node : *It) {
      if (Function* F = Node->getFunction(); F && !F->isDeclaration()) {
        Functions.push_back(F);
      }
    }
    component(Functions, It.hasCycle());
  }
}

void ModuleAnalysis::component(ArrayRef<Function*> Functions, bool Cycle) {
  // From "nothing happens" upward; a summary that never settles is none.
  for (Function* F : Functions) {
    if (summarisedAnew(*F)) {
      Table.set(*F, Summary());
    }
  }
  for (unsigned Round = 0; Round < MaxRounds; ++Round) {
    bool Changed = false;
    for (Function* F : Functions) {
      Changed |= analyse(*F, Cycle);
    }
    if (!Changed || !Cycle) {
      return;
    }
  }
  for (Function* F : Functions) {
    Table.forget(*F);
  }
  for (Function* F : Functions) {
    analyse(*F, Cycle);
    Table.forget(*F);
  }
}

bool ModuleAnalysis::analyse(Function& F, bool Recursive) {
  // Without a summary; those who relied on one so far are looked at again.
  auto Forget = [&] {
    bool Known = Table.own(F) != nullptr;
    Table.forget(F);
    return Known;
  };
  if (F.getInstructionCount() > MaxInstructions) {
    return Forget();
  }
  auto G = std::make_unique<Graph>(F);
  buildGraph(*G, Table);
  solve(*G, Options::explain() == Explain::Flows || Options::explain() == Explain::Json);
  bool Changed = false;
  if (G->Refused) {
    const Summary* Old = Table.find(F);
    Changed = Old != nullptr;
    Table.forget(F);
  } else if (summarisedAnew(F)) {
    Summary S = Summary::of(*G);
    const Summary* Old = Table.own(F);
    if (Old && *Old != S) {
      Changed = true;
      Table.set(F, std::move(S));
    }
  }
  if (G->Sites.empty()) {
    Results.erase(&F);
  } else {
    Results[&F] = {std::move(G), Recursive};
  }
  return Changed;
}

/// Splits what was moved late into registers; what was moved early is by the passes that follow.
void tidy(Function& F, FunctionAnalysisManager& Analyses) {
  Analyses.invalidate(F, PreservedAnalyses::none());
  FunctionPassManager Passes;
  Passes.addPass(SROAPass(SROAOptions::ModifyCFG));
  Passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  Passes.addPass(InstCombinePass());
  Passes.addPass(DSEPass());  // zeros that are overwritten
  Passes.addPass(SimplifyCFGPass());
  Passes.run(F, Analyses);
}

bool ModuleAnalysis::promoteAll() {
  bool Any = false;
  Recursion Outside(M);
  for (Function& F : M) {
    auto It = Results.find(&F);
    if (It == Results.end()) {
      continue;
    }
    const Graph& G = *It->second.G;
    std::vector<Verdict> Verdicts =
        decide(G, Analyses, It->second.Recursive || Outside.byOthers(F));
    auto& Emitter = Analyses.getResult<OptimizationRemarkEmitterAnalysis>(F);
    for (const Verdict& V : Verdicts) {
      Decisions::get().site(G, V, Late);
      // What the early run left alone is asked again.
      if (Late || V.Moved) {
        remark(V, Emitter);
      }
    }
    if (promote(F, Verdicts, Analyses)) {
      Any = true;
      if (Late) {
        tidy(F, Analyses);
      }
    }
  }
  return Any;
}

void ModuleAnalysis::keepSummaries() {
  for (Function& F : M) {
    F.removeFnAttr(SummaryAttribute);
    if (F.isDeclaration()) {
      continue;
    }
    if (const Summary* S = Table.own(F)) {
      Decisions::get().parameters(F, *S);
      if (!S->Optimistic) {
        F.addFnAttr(SummaryAttribute, S->text());
      }
    }
  }
}

/// Whether the captures lie in an object of their own, whose line says where it lives.
bool isBoxed(const CallBase& Made) {
  const Function* Code = closureCode(Made);
  return !Code || !Code->getName().contains("call_in_word");
}

/// The marks of closures have served; optimisation sees through what is left.
bool removeMarks(Module& M) {
  SmallVector<CallBase*> Marks;
  for (const char* Name : {"burrow_closure_made", "burrow_closure_used"}) {
    if (Function* F = M.getFunction(Name)) {
      for (User* U : F->users()) {
        if (auto* Call = dyn_cast<CallBase>(U); Call && Call->getCalledFunction() == F) {
          Marks.push_back(Call);
        }
      }
    }
  }
  for (CallBase* Mark : Marks) {
    if (calleeOf(*Mark) == Callee::ClosureMade && !isBoxed(*Mark)) {
      Decisions::get().literal(*Mark);
    }
    Mark->replaceAllUsesWith(Mark->getArgOperand(0));
    Mark->eraseFromParent();
  }
  return !Marks.empty();
}

}  // namespace

PreservedAnalyses EscapePass::run(Module& M, ModuleAnalysisManager& Manager) {
  auto& Analyses = Manager.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  bool Late = Run == Stage::Late || Run == Stage::Link;
  setTypesOfIrTell(Run == Stage::OnlyEarly && typesNeverAlias());
  if (!Late) {
    for_each(M, warnOfHiddenPointers);
  }
  ModuleAnalysis A(M, Analyses, Late);
  A.summarise();
  if (!Late) {
    A.keepSummaries();
  }
  bool Changed = A.promoteAll();
  Changed |= removeMarks(M);
  if (Run != Stage::OnlyEarly) {
    Changed |= planFrames(M);
  }
  if (Run == Stage::OnlyEarly || Run == Stage::Late) {
    A.keepForOthers();
  }
  if (Run != Stage::Early && Options::explain() != Explain::None) {
    Decisions::get().print(Options::explain());
  }
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

}  // namespace burrow
