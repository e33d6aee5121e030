// See Carry.h.
#include "Carry.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/DataLayout.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Metadata.h"

using namespace llvm;

namespace burrow {

namespace {

/// Longer ways count as carrying.
constexpr unsigned MostValues = 200;

/// The type's name that an access was made by; empty where it is not said.
StringRef accessType(const Instruction& Access) {
  MDNode* Tag = Access.getMetadata(LLVMContext::MD_tbaa);
  auto* Type = Tag && Tag->getNumOperands() > 1 ? dyn_cast<MDNode>(Tag->getOperand(1)) : nullptr;
  auto* Name = Type && Type->getNumOperands() ? dyn_cast<MDString>(Type->getOperand(0)) : nullptr;
  return Name ? Name->getString() : StringRef();
}

/// Strict aliasing: an lvalue of these types never reads what was stored as a pointer.
bool isNumber(StringRef Type) {
  static constexpr StringRef Numbers[] = {"bool",  "short",  "int",         "long",     "long long",
                                          "float", "double", "long double", "__int128", "wchar_t"};
  return is_contained(Numbers, Type) || Type.starts_with("_ZTS");
}

/// Adds the operands whose bits the instruction passes on. False: it may carry anything.
bool passed(const Instruction& I, SmallVectorImpl<const Value*>& Work) {
  if (isa<CmpInst, FPExtInst, FPTruncInst, SIToFPInst, UIToFPInst, FPToSIInst, FPToUIInst>(I)) {
    return true;
  }
  if (auto* Load = dyn_cast<LoadInst>(&I)) {
    return isNumber(accessType(*Load));
  }
  if (auto* Binary = dyn_cast<BinaryOperator>(&I)) {
    switch (Binary->getOpcode()) {
      case Instruction::And:
      case Instruction::Or:
      case Instruction::Xor:
      case Instruction::Add:
      case Instruction::Sub:
      case Instruction::Shl:
      case Instruction::LShr:
      case Instruction::AShr:
        break;
      default:
        return true;  // such results are no pointer's bits any more
    }
  } else if (isa<UnaryOperator>(I)) {
    return true;
  } else if (auto* Call = dyn_cast<IntrinsicInst>(&I)) {
    if (!Call->doesNotAccessMemory()) {
      return false;
    }
    if (I.getType()->isFPOrFPVectorTy()) {
      return true;
    }
    append_range(Work, Call->args());
    return true;
  } else if (auto* Select = dyn_cast<SelectInst>(&I)) {
    Work.append({Select->getTrueValue(), Select->getFalseValue()});
    return true;
  } else if (!isa<CastInst, PHINode, FreezeInst, ExtractElementInst, InsertElementInst,
                  ShuffleVectorInst, InsertValueInst, ExtractValueInst>(I)) {
    return false;
  }
  append_range(Work, I.operands());
  return true;
}

}  // namespace

bool isWide(Type* T, const DataLayout& Layout) {
  if (!T->isSized() || T->isX86_FP80Ty()) {
    return false;
  }
  return Layout.getTypeStoreSize(T).getKnownMinValue() >= 8;
}

bool accessesBytes(const Instruction& Access) {
  return !isNumber(accessType(Access));
}

bool mayCarry(const Value* V) {
  SmallVector<const Value*> Work{V};
  SmallPtrSet<const Value*, 16> Seen;
  while (!Work.empty()) {
    const Value* At = Work.pop_back_val();
    if (isa<Constant, AllocaInst>(At) || !Seen.insert(At).second) {
      continue;
    }
    auto* I = dyn_cast<Instruction>(At);
    if (!I || Seen.size() > MostValues || !passed(*I, Work)) {
      return true;
    }
  }
  return false;
}

}  // namespace burrow
