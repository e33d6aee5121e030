// Which functions may call themselves, also by code that is not in this module.
#pragma once

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Module.h"

namespace burrow {

/// A function may come back to itself from outside if it can be called from there, and calls on its
/// part what is not known: a function of another file, a virtual or another indirect one. Of
/// libraries' functions those are known that call nothing back. Cycles within the module are the
/// call graph's affair.
class Recursion {
 public:
  explicit Recursion(llvm::Module& M);

  bool byOthers(const llvm::Function& F) const {
    return Entered.contains(&F) && Leaving.contains(&F);
  }

 private:
  llvm::SmallPtrSet<const llvm::Function*, 32> Entered, Leaving;
};

}  // namespace burrow
