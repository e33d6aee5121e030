// See Barrier.h.
#include "Barrier.h"

#include "Graph.h"
#include "Integers.h"
#include "Options.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace burrow {

namespace {

class Inserter {
 public:
  explicit Inserter(Module& Of) : M(Of), C(Of.getContext()) {
    Flag = M.getOrInsertGlobal("burrow_gc_marking", Type::getInt8Ty(C));
    Shade = M.getOrInsertFunction("burrow_gc_shade", Type::getVoidTy(C), PointerType::get(C, 0));
  }

  bool run(Function& F);

 private:
  struct Stored {
    Instruction* Before;
    Value* What;              ///< the new value, or where the words copied come from
    Value* Length = nullptr;  ///< of a copy
  };

  /// Whether the address may be in a collected object: a variable and a global are not.
  static bool mayBeCollected(const Value* Address) {
    SmallVector<const Value*, 4> Objects;
    getUnderlyingObjects(Address, Objects);
    return !all_of(Objects, [](const Value* V) {
      return isa<AllocaInst, GlobalVariable, ConstantPointerNull, UndefValue>(V);
    });
  }

  static bool needed(const Value* V, const Value* Address, const Integers& Ints) {
    if (isa<Constant>(V->stripInBoundsOffsets()) || !mayHoldPointer(V->getType())) {
      return false;
    }
    return (!V->getType()->isIntegerTy() || Ints.tracked(V)) && mayBeCollected(Address);
  }

  void shade(IRBuilder<>& B, Value* V);
  void insert(const Stored& S);
  FunctionCallee shadeWords();

  Module& M;
  LLVMContext& C;
  Constant* Flag;
  FunctionCallee Shade;
};

/// Each pointer in the value.
void Inserter::shade(IRBuilder<>& B, Value* V) {
  Type* T = V->getType();
  if (T->isPointerTy()) {
    B.CreateCall(Shade, {V});
  } else if (auto* Int = dyn_cast<IntegerType>(T)) {
    for (unsigned Bit = 0; Bit + 64 <= Int->getBitWidth(); Bit += 64) {
      Value* Word = B.CreateTrunc(B.CreateLShr(V, Bit), B.getInt64Ty());
      B.CreateCall(Shade, {B.CreateIntToPtr(Word, B.getPtrTy())});
    }
  } else if (auto* Vector = dyn_cast<FixedVectorType>(T)) {
    uint64_t Bits = M.getDataLayout().getTypeSizeInBits(T).getFixedValue();
    if (Vector->getElementType()->isPointerTy()) {
      for (unsigned N = 0; N < Vector->getNumElements(); ++N) {
        B.CreateCall(Shade, {B.CreateExtractElement(V, N)});
      }
    } else if (Bits % 64 == 0) {
      shade(B, B.CreateBitCast(V, B.getIntNTy(Bits)));
    }
  } else if (isa<StructType, ArrayType>(T)) {
    unsigned Count = isa<StructType>(T) ? T->getStructNumElements() : T->getArrayNumElements();
    for (unsigned N = 0; N < Count; ++N) {
      Value* Element = B.CreateExtractValue(V, N);
      if (mayHoldPointer(Element->getType())) {
        shade(B, Element);
      }
    }
  }
}

/// burrow.shade_words(from, bytes): every aligned word of what is to be copied.
FunctionCallee Inserter::shadeWords() {
  if (Function* Known = M.getFunction("burrow.shade_words")) {
    return Known;
  }
  Type *Pointer = PointerType::get(C, 0), *Size = Type::getInt64Ty(C);
  auto* F = Function::Create(FunctionType::get(Type::getVoidTy(C), {Pointer, Size}, false),
                             GlobalValue::InternalLinkage, "burrow.shade_words", M);
  F->addFnAttr(Attribute::NoInline);
  F->addFnAttr(Attribute::Cold);
  BasicBlock *Entry = BasicBlock::Create(C, "", F), *Head = BasicBlock::Create(C, "", F);
  BasicBlock *Body = BasicBlock::Create(C, "", F), *Exit = BasicBlock::Create(C, "", F);
  IRBuilder<> B(Entry);
  // Pointers lie at multiples of eight.
  Value* Start = B.CreatePtrToInt(F->getArg(0), Size);
  Value* First = B.CreateAnd(B.CreateAdd(Start, B.getInt64(7)), ~uint64_t{7});
  Value* End = B.CreateAnd(B.CreateAdd(Start, F->getArg(1)), ~uint64_t{7});
  B.CreateBr(Head);
  B.SetInsertPoint(Head);
  PHINode* At = B.CreatePHI(Size, 2);
  At->addIncoming(First, Entry);
  B.CreateCondBr(B.CreateICmpULT(At, End), Body, Exit);
  B.SetInsertPoint(Body);
  B.CreateCall(Shade, {B.CreateLoad(Pointer, B.CreateIntToPtr(At, Pointer))});
  At->addIncoming(B.CreateAdd(At, B.getInt64(8)), Body);
  B.CreateBr(Head);
  B.SetInsertPoint(Exit);
  B.CreateRetVoid();
  return F;
}

void Inserter::insert(const Stored& S) {
  IRBuilder<> B(S.Before);
  Value* Marking =
      B.CreateICmpNE(B.CreateLoad(B.getInt8Ty(), Flag, /*isVolatile=*/true), B.getInt8(0));
  MDNode* Rarely = MDBuilder(C).createBranchWeights(1, 100000);
  B.SetInsertPoint(SplitBlockAndInsertIfThen(Marking, S.Before, false, Rarely));
  if (S.Length) {
    B.CreateCall(shadeWords(), {S.What, B.CreateZExtOrTrunc(S.Length, B.getInt64Ty())});
  } else {
    shade(B, S.What);
  }
}

bool Inserter::run(Function& F) {
  Integers Ints(F);
  SmallVector<Stored> All;
  for (Instruction& I : instructions(F)) {
    if (auto* Store = dyn_cast<StoreInst>(&I)) {
      if (needed(Store->getValueOperand(), Store->getPointerOperand(), Ints) &&
          !planted("barrier-store")) {
        All.push_back({&I, Store->getValueOperand()});
      }
    } else if (auto* Swap = dyn_cast<AtomicCmpXchgInst>(&I)) {
      if (needed(Swap->getNewValOperand(), Swap->getPointerOperand(), Ints)) {
        All.push_back({&I, Swap->getNewValOperand()});
      }
    } else if (auto* Update = dyn_cast<AtomicRMWInst>(&I)) {
      if (Update->getOperation() == AtomicRMWInst::Xchg &&
          needed(Update->getValOperand(), Update->getPointerOperand(), Ints)) {
        All.push_back({&I, Update->getValOperand()});
      }
    } else if (auto* Move = dyn_cast<AnyMemTransferInst>(&I)) {
      auto* Length = dyn_cast<ConstantInt>(Move->getLength());
      if ((!Length || Length->getValue().uge(8)) && mayBeCollected(Move->getRawDest()) &&
          !planted("barrier-copy")) {
        All.push_back({&I, Move->getRawSource(), Move->getLength()});
      }
    }
  }
  for (const Stored& S : All) {
    insert(S);
  }
  return !All.empty();
}

}  // namespace

PreservedAnalyses BarrierPass::run(Module& M, ModuleAnalysisManager& /*Analyses*/) {
  if (!Options::barriers()) {
    return PreservedAnalyses::all();
  }
  SmallVector<Function*> Functions;
  for (Function& F : M) {
    if (!F.isDeclaration() && !F.hasFnAttribute(Attribute::Naked)) {
      Functions.push_back(&F);
    }
  }
  Inserter In(M);
  for (Function* F : Functions) {
    In.run(*F);
  }
  return PreservedAnalyses::none();
}

}  // namespace burrow
