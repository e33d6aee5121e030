// See Hidden.h.
#include "Hidden.h"

#include "Diagnose.h"
#include "Graph.h"
#include "Integers.h"
#include "Warning.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

namespace {

/// User space ends here: what is above in a word is no address.
constexpr unsigned AddressBits = 47;
/// Low bits that may be a tag, or the way to the middle of an object.
constexpr unsigned TagBits = 12;

/// How the integer that a pointer is made from was computed, where that hides it: a name, or null.
class Recovery {
 public:
  const char* hiding(const Value* V) {
    auto* I = dyn_cast<Instruction>(V);
    if (!I || !Seen.insert(V).second) {
      return nullptr;
    }
    if (auto* Call = dyn_cast<IntrinsicInst>(I)) {
      switch (Call->getIntrinsicID()) {
        case Intrinsic::fshl:
        case Intrinsic::fshr:
        case Intrinsic::bswap:
        case Intrinsic::bitreverse:
          return "rotated or reversed bits";
        default:
          return nullptr;
      }
    }
    switch (I->getOpcode()) {
      case Instruction::Xor:
        return isTag(I->getOperand(1)) ? hiding(I->getOperand(0)) : "xor";
      case Instruction::Shl:
      case Instruction::LShr:
      case Instruction::AShr:
        return "a shift";
      case Instruction::And:
        if (auto* Mask = dyn_cast<ConstantInt>(I->getOperand(1))) {
          return keepsAddress(Mask->getValue()) ? "a mask of its upper bits"
                                                : hiding(I->getOperand(0));
        }
        return either(*I);
      case Instruction::Or:
      case Instruction::Add:
      case Instruction::Sub:
        if (auto* By = dyn_cast<ConstantInt>(I->getOperand(1))) {
          return By->getValue().abs().getActiveBits() > AddressBits ? "a tag in its upper bits"
                                                                    : hiding(I->getOperand(0));
        }
        return either(*I);
      case Instruction::Select:
      case Instruction::PHI:
      case Instruction::Freeze:
        return either(*I);
      default:
        return nullptr;
    }
  }

 private:
  static bool isTag(const Value* V) {
    auto* C = dyn_cast<ConstantInt>(V);
    return C && C->getValue().getActiveBits() <= TagBits;
  }

  /// Takes off what is above an address, and no more than a tag below.
  static bool keepsAddress(const APInt& Mask) {
    return Mask.getBitWidth() == 64 && Mask.getActiveBits() >= AddressBits &&
           Mask.getActiveBits() < 60 && Mask.countr_zero() <= TagBits;
  }

  const char* either(const Instruction& I) {
    for (const Value* V : I.operand_values()) {
      if (const char* How = hiding(V)) {
        return How;
      }
    }
    return nullptr;
  }

  SmallPtrSet<const Value*, 8> Seen;
};

bool isLibraryName(StringRef Name) {
  return any_of(ArrayRef<StringRef>{"_ZNSt", "_ZNKSt", "_ZSt", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx",
                                    "_ZN6burrow", "_ZNK6burrow"},
                [&](StringRef Prefix) { return Name.starts_with(Prefix); });
}

/// Where the user reads of it, or nothing where the code is a library's.
std::string whereIs(const Instruction& I) {
  const Function& F = *I.getFunction();
  Place At = placeOf(I);
  if (At.File.empty()) {
    return isLibraryName(F.getName()) ? "" : "in " + demangle(F.getName());
  }
  return isLibraryFile(At.File) ? "" : At.text();
}

void warnOfRecovery(const IntToPtrInst& Made) {
  const char* How = Recovery().hiding(Made.getOperand(0));
  std::string Where = How ? whereIs(Made) : "";
  if (!Where.empty()) {
    Made.getContext().diagnose(
        Warning(Where + ": pointer made from an integer by " + How +
                ": while it is only that integer, the collector does not see it; keep the pointer "
                "itself, or a Root, beside it"));
  }
}

void noteStore(const StoreInst& Store, const Integers& Ints) {
  const Value* V = Store.getValueOperand();
  if (!Ints.fromPointer(V) || Ints.isDistance(V) || !mayHoldPointer(V->getType()) ||
      isa<AllocaInst>(getUnderlyingObject(Store.getPointerOperand()))) {
    return;
  }
  Place At = placeOf(Store);
  if (!At.File.empty() && !isLibraryFile(At.File)) {
    Decisions::get().note(At,
                          "pointer stored as an integer: not seen by the collector in objects "
                          "without plain pointers");
  }
}

}  // namespace

void warnOfHiddenPointers(Function& F) {
  std::optional<Integers> Ints;
  for (const Instruction& I : instructions(F)) {
    if (auto* Made = dyn_cast<IntToPtrInst>(&I)) {
      warnOfRecovery(*Made);
    } else if (auto* Store = dyn_cast<StoreInst>(&I);
               Store && Options::explain() != Explain::None &&
               Store->getValueOperand()->getType()->isIntegerTy(64)) {
      if (!Ints) {
        Ints.emplace(F);
      }
      noteStore(*Store, *Ints);
    }
  }
}

}  // namespace burrow
