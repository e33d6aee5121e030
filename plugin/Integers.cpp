// Follows pointers through integers. See Integers.h.
#include "Integers.h"

#include "Graph.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

namespace {

bool isIntLike(const Type* T) {
  return T->isIntOrIntVectorTy();
}

/// Whether the instruction's integer result is computed from its integer operands alone.
bool passesBits(const Instruction& I, bool Narrow) {
  if (!isIntLike(I.getType())) {
    return false;
  }
  if (!Narrow && !mayHoldPointer(I.getType())) {
    return false;
  }
  if (auto* Call = dyn_cast<IntrinsicInst>(&I)) {
    return Call->doesNotAccessMemory() && !isHarmlessIntrinsic(*Call);
  }
  return isa<BinaryOperator, CastInst, PHINode, SelectInst, FreezeInst, ExtractElementInst,
             InsertElementInst, ShuffleVectorInst>(I);
}

}  // namespace

bool mayHoldPointer(const Type* T) {
  if (T->isPointerTy()) {
    return true;
  }
  if (auto* Int = dyn_cast<IntegerType>(T)) {
    return Int->getBitWidth() >= 64;
  }
  if (auto* Vector = dyn_cast<FixedVectorType>(T)) {
    const Type* Element = Vector->getElementType();
    return Element->isPointerTy() ||
           (Element->isIntegerTy() &&
            Vector->getNumElements() * Element->getIntegerBitWidth() >= 64);
  }
  if (isa<ScalableVectorType>(T)) {
    return true;
  }
  if (auto* Array = dyn_cast<ArrayType>(T)) {
    return mayHoldPointer(Array->getElementType());
  }
  if (auto* Struct = dyn_cast<StructType>(T)) {
    return any_of(Struct->elements(), [](const Type* E) { return mayHoldPointer(E); });
  }
  return false;
}

bool mayLoadPointer(const LoadInst& Load) {
  const Type* T = Load.getType();
  if (!mayHoldPointer(T)) {
    return false;
  }
  MDNode* Tag = Load.getMetadata(LLVMContext::MD_tbaa);
  if (!T->isIntegerTy() || !Tag || Tag->getNumOperands() < 2) {
    return true;
  }
  // Strict aliasing: an lvalue of these types never reads what was stored as a pointer.
  auto* Access = dyn_cast<MDNode>(Tag->getOperand(1));
  auto* Name =
      Access && Access->getNumOperands() ? dyn_cast<MDString>(Access->getOperand(0)) : nullptr;
  if (!Name) {
    return true;
  }
  StringRef Text = Name->getString();
  return Text != "long" && Text != "long long" && Text != "__int128" && !Text.starts_with("_ZTS");
}

bool isPointerDistance(const Value* V) {
  auto* Sub = dyn_cast<BinaryOperator>(V);
  return Sub && Sub->getOpcode() == Instruction::Sub && isa<PtrToIntOperator>(Sub->getOperand(0)) &&
         isa<PtrToIntOperator>(Sub->getOperand(1));
}

Integers::Integers(Function& F) {
  SmallVector<const Value*> Casts, Distances, Seeds;
  for (const Argument& A : F.args()) {
    if (isIntLike(A.getType()) && mayHoldPointer(A.getType())) {
      Seeds.push_back(&A);
    }
  }
  for (const Instruction& I : instructions(F)) {
    if (!isIntLike(I.getType())) {
      continue;
    }
    if (isa<PtrToIntInst>(I)) {
      Casts.push_back(&I);
    } else if (isPointerDistance(&I)) {
      Distances.push_back(&I);
    } else if (auto* Load = dyn_cast<LoadInst>(&I)) {
      if (mayLoadPointer(*Load)) {
        Seeds.push_back(&I);
      }
    } else if (auto* Call = dyn_cast<IntrinsicInst>(&I);
               Call && Call->doesNotAccessMemory() && mayHoldPointer(I.getType())) {
      // A result computed from integers is followed like arithmetic; from pointers, as a seed.
      if (any_of(Call->args(), [](const Use& U) { return U->getType()->isPtrOrPtrVectorTy(); })) {
        Seeds.push_back(&I);
      }
    } else if (mayHoldPointer(I.getType()) &&
               isa<CallBase, AtomicRMWInst, ExtractValueInst, VAArgInst>(I)) {
      Seeds.push_back(&I);
    } else if (isa<BitCastInst>(I) && mayHoldPointer(I.getType())) {
      Seeds.push_back(&I);
    }
  }
  follow(Distances, Distance, true);
  follow(Casts, Cast, true);
  follow(Seeds, Tracked, false);
  Tracked.insert(Cast.begin(), Cast.end());
}

void Integers::follow(SmallVector<const Value*> Work, DenseSet<const Value*>& Set, bool Narrow) {
  while (!Work.empty()) {
    const Value* V = Work.pop_back_val();
    if (!Set.insert(V).second) {
      continue;
    }
    for (const User* U : V->users()) {
      auto* I = dyn_cast<Instruction>(U);
      // A distance is no pointer's bits any more; it has a set of its own.
      if (!I || isPointerDistance(I) || isa<CmpInst>(I) || !passesBits(*I, Narrow)) {
        continue;
      }
      if (isa<SelectInst>(I) && I->getOperand(0) == V) {
        continue;
      }
      Work.push_back(I);
    }
  }
}

}  // namespace burrow
