// See Makers.h.
#include "Makers.h"

#include "Known.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

bool isOurTemplate(const Function& F) {
  return (F.hasLinkOnceODRLinkage() || F.hasLocalLinkage()) && F.getReturnType()->isPointerTy() &&
         (F.getName().starts_with("_ZN6burrow") || F.getName().starts_with("_ZNK6burrow"));
}

bool allocates(const Function& F, const SmallPtrSetImpl<const Function*>& Makers) {
  return any_of(instructions(F), [&](const Instruction& I) {
    auto* Call = dyn_cast<CallBase>(&I);
    if (!Call) {
      return false;
    }
    Callee Kind = calleeOf(*Call);
    return Kind == Callee::Make || Kind == Callee::MakeArray ||
           (Call->getCalledFunction() != &F && Makers.contains(Call->getCalledFunction()));
  });
}

}  // namespace

PreservedAnalyses MakersPass::run(Module& M, ModuleAnalysisManager& /*Analyses*/) {
  SmallPtrSet<const Function*, 16> Makers;
  for (bool More = true; More;) {
    More = false;
    for (Function& F : M) {
      if (isOurTemplate(F) && !Makers.contains(&F) && allocates(F, Makers)) {
        Makers.insert(&F);
        F.removeFnAttr(Attribute::NoInline);
        F.removeFnAttr(Attribute::OptimizeNone);
        F.addFnAttr(Attribute::AlwaysInline);
        More = true;
      }
    }
  }
  return PreservedAnalyses::all();
}

}  // namespace burrow
