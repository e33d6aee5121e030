// See Makers.h.
#include "Makers.h"

#include "Access.h"
#include "Known.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

bool isOurTemplate(const Function& F) {
  StringRef Name = F.getName();
  if (!(F.hasLinkOnceODRLinkage() || F.hasLocalLinkage()) ||
      !(Name.starts_with("_ZN6burrow") || Name.starts_with("_ZNK6burrow"))) {
    return false;
  }
  // An array that append grew has no constant size, and much code.
  if (Name.contains("grow_elements")) {
    return false;
  }
  if (F.getReturnType()->isPointerTy() ||
      (F.arg_size() && F.hasParamAttribute(0, Attribute::StructRet))) {
    return true;
  }
  ItaniumPartialDemangler Parts;
  return !Parts.partialDemangle(Name.str().c_str()) && Parts.isCtorOrDtor() &&
         !StringRef(Name).contains("D0Ev") && !Name.contains("D1Ev") && !Name.contains("D2Ev");
}

/// `make` calls no memcpy: what it copies is an object, by the constructor of its type.
void noteTypedCopies(Function& F) {
  if (F.getName().starts_with("_ZN6burrow4makeI")) {
    for (Instruction& I : instructions(F)) {
      if (auto* Copy = dyn_cast<AnyMemTransferInst>(&I)) {
        noteTypedCopy(*Copy);
      }
    }
  }
}

bool allocates(const Function& F, const SmallPtrSetImpl<const Function*>& Makers) {
  return any_of(instructions(F), [&](const Instruction& I) {
    auto* Call = dyn_cast<CallBase>(&I);
    if (!Call) {
      return false;
    }
    Callee Kind = calleeOf(*Call);
    return Kind == Callee::Make || Kind == Callee::MakeArray || Kind == Callee::ClosureMade ||
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
        noteTypedCopies(F);
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
