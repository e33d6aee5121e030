// See Recursion.h.
#include "Recursion.h"

#include <map>

#include "Options.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace burrow {

namespace {

bool callsNothingBack(const Function& F, const TargetLibraryInfoImpl& Library) {
  StringRef Name = F.getName();
  if (F.isIntrinsic() || F.hasFnAttribute(Attribute::NoCallback)) {
    return true;
  }
  LibFunc Known;
  if (Library.getLibFunc(Name, Known)) {
    return Known != LibFunc_qsort;
  }
  // What the C++ library and Burrow have compiled; templates over the user's types have bodies.
  return any_of(ArrayRef<StringRef>{"_ZNSt", "_ZNKSt", "_ZSt", "_Zn", "_Zd", "__cxa_", "_Unwind_",
                                    "burrow_", "_ZN6burrow", "_ZNK6burrow"},
                [&](StringRef Prefix) { return Name.starts_with(Prefix); }) ||
         (Name.starts_with("pthread_") && Name != "pthread_once");
}

using Sets = SmallPtrSetImpl<const Function*>;

void follow(SmallVector<const Function*> Work,
            const std::map<const Function*, SmallPtrSet<const Function*, 4>>& Edges, Sets& Found) {
  while (!Work.empty()) {
    const Function* F = Work.pop_back_val();
    auto At = Found.insert(F).second ? Edges.find(F) : Edges.end();
    if (At != Edges.end()) {
      Work.append(At->second.begin(), At->second.end());
    }
  }
}

}  // namespace

Recursion::Recursion(Module& M) {
  if (planted("recursion-by-others")) {
    return;
  }
  TargetLibraryInfoImpl Library{Triple(M.getTargetTriple())};
  std::map<const Function*, SmallPtrSet<const Function*, 4>> Callees, Callers;
  SmallVector<const Function*> Entries, Exits;
  for (const Function& F : M) {
    // A program does not call main.
    if (F.getName() != "main" && (!F.hasLocalLinkage() || F.hasAddressTaken())) {
      Entries.push_back(&F);
    }
    for (const Instruction& I : instructions(F)) {
      auto* Call = dyn_cast<CallBase>(&I);
      if (!Call || Call->isInlineAsm()) {
        continue;
      }
      const Function* To = Call->getCalledFunction();
      if (To && !To->isDeclaration()) {
        Callees[&F].insert(To);
        Callers[To].insert(&F);
      } else if (!To || !callsNothingBack(*To, Library)) {
        Exits.push_back(&F);
      }
    }
  }
  follow(std::move(Entries), Callees, Entered);
  follow(std::move(Exits), Callers, Leaving);
}

}  // namespace burrow
