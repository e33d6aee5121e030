// Follows pointers through integers, floats, vectors and their parts. See Integers.h.
#include "Integers.h"

#include "Access.h"
#include "Known.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

namespace {

bool isNumber(const Type* T) {
  return !hasPointer(T) && carriesBits(T);
}

/// Whether the instruction's result is computed from its operands' bits.
bool passesBits(const Instruction& I) {
  if (!isNumber(I.getType())) {
    return false;
  }
  if (auto* Call = dyn_cast<IntrinsicInst>(&I)) {
    return Call->doesNotAccessMemory() && !isHarmlessIntrinsic(*Call);
  }
  return isa<BinaryOperator, UnaryOperator, CastInst, PHINode, SelectInst, FreezeInst,
             ExtractElementInst, InsertElementInst, ShuffleVectorInst, ExtractValueInst,
             InsertValueInst>(I);
}

bool isPointerOperand(const Use& U) {
  return hasPointer(U->getType());
}

/// Elements counted: the source subtracts pointers into one array, so the result finds nothing that
/// a pointer into it would not. Only the frontend says "exact" of what need not be.
bool countsElements(const Instruction& I, const Value* Distance) {
  auto* Exact = dyn_cast<PossiblyExactOperator>(&I);
  auto* By = Exact && Exact->isExact() ? dyn_cast<ConstantInt>(I.getOperand(1)) : nullptr;
  if (!By || I.getOperand(0) != Distance || !isPointerDistance(Distance)) {
    return false;
  }
  unsigned Zeros = I.isShift() ? By->getZExtValue() : By->getValue().countr_zero();
  KnownBits Known = computeKnownBits(Distance, I.getModule()->getDataLayout());
  return Zeros == 0 || Known.countMinTrailingZeros() < Zeros;
}

}  // namespace

bool isPointerDistance(const Value* V) {
  auto* Sub = dyn_cast<BinaryOperator>(V);
  return Sub && Sub->getOpcode() == Instruction::Sub && isa<PtrToIntOperator>(Sub->getOperand(0)) &&
         isa<PtrToIntOperator>(Sub->getOperand(1));
}

Integers::Integers(Function& F) {
  SmallVector<const Value*> Casts, Distances, Seeds;
  for (const Argument& A : F.args()) {
    if (!hasPointer(A.getType()) && mayHoldPointer(A.getType())) {
      Seeds.push_back(&A);
    }
  }
  for (const Instruction& I : instructions(F)) {
    if (!isNumber(I.getType())) {
      continue;
    }
    if (isPointerDistance(&I)) {
      Distances.push_back(&I);
    } else if (isa<PtrToIntInst>(I)) {
      Casts.push_back(&I);
    } else if (isa<LoadInst, AtomicRMWInst, AtomicCmpXchgInst, VAArgInst>(I) ||
               (isa<CallBase>(I) && !passesBits(I)) ||
               (passesBits(I) && any_of(I.operands(), isPointerOperand))) {
      Seeds.push_back(&I);
    }
  }
  follow(Distances, Distance);
  follow(Casts, Cast);
  follow(Seeds, Tracked);
  Tracked.insert(Cast.begin(), Cast.end());
  Tracked.insert(Distance.begin(), Distance.end());
}

void Integers::follow(SmallVector<const Value*> Work, DenseSet<const Value*>& Set) {
  while (!Work.empty()) {
    const Value* V = Work.pop_back_val();
    if (!Set.insert(V).second) {
      continue;
    }
    for (const User* U : V->users()) {
      auto* I = dyn_cast<Instruction>(U);
      // A distance is no pointer's bits any more; it has a set of its own.
      if (!I || isPointerDistance(I) || !passesBits(*I) || countsElements(*I, V)) {
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
