// See BarrierCode.h.
#include "BarrierCode.h"

#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr uint64_t WordBytes = 8, WordBits = 64;

}  // namespace

BarrierCode::BarrierCode(Module& Of) : M(Of), C(Of.getContext()) {
  Type *Pointer = PointerType::get(C, 0), *Size = Type::getInt64Ty(C), *Void = Type::getVoidTy(C);
  Flag = M.getOrInsertGlobal("burrow_gc_marking", Type::getInt8Ty(C));
  Shade = M.getOrInsertFunction("burrow_gc_shade", Void, Pointer);
  Copy = M.getOrInsertFunction("burrow_gc_copy", Void, Pointer, Pointer, Size);
}

template <class F>
void BarrierCode::forEachWord(IRBuilder<>& B, Value* V, F Use) {
  Type* T = V->getType();
  if (isa<StructType, ArrayType>(T)) {
    unsigned Count = isa<StructType>(T) ? T->getStructNumElements() : T->getArrayNumElements();
    for (unsigned N = 0; N < Count; ++N) {
      forEachWord(B, B.CreateExtractValue(V, N), Use);
    }
    return;
  }
  if (auto* Vector = dyn_cast<FixedVectorType>(T)) {
    uint64_t Bits = M.getDataLayout().getTypeSizeInBits(T).getFixedValue();
    if (Vector->getElementType()->isPointerTy()) {
      V = B.CreatePtrToInt(V, FixedVectorType::get(B.getInt64Ty(), Vector->getNumElements()));
    } else if (Bits % WordBits == 0) {
      V = B.CreateBitCast(V, FixedVectorType::get(B.getInt64Ty(), Bits / WordBits));
    }
    for (unsigned N = 0; N < cast<FixedVectorType>(V->getType())->getNumElements(); ++N) {
      Use(B.CreateExtractElement(V, N));
    }
    return;
  }
  auto* Int = dyn_cast<IntegerType>(T);
  if (Int && Int->getBitWidth() > WordBits) {
    for (unsigned Bit = 0; Bit + WordBits <= Int->getBitWidth(); Bit += WordBits) {
      Use(B.CreateTrunc(B.CreateLShr(V, Bit), B.getInt64Ty()));
    }
    return;
  }
  Use(T->isDoubleTy() ? B.CreateBitCast(V, B.getInt64Ty()) : V);
}

/// Each word by itself: it takes one register for a moment only.
void BarrierCode::pinAt(IRBuilder<>& B, Value* V) {
  forEachWord(B, V, [&](Value* Word) {
    Type* T = Word->getType();
    if (isa<Constant>(Word) || !(T->isPointerTy() || T->isIntegerTy())) {
      return;
    }
    auto* Takes = FunctionType::get(B.getVoidTy(), {T}, false);
    B.CreateCall(InlineAsm::get(Takes, "", "r", /*hasSideEffects=*/true), {Word});
  });
}

void BarrierCode::pin(Instruction& Look, Value* What) {
  IRBuilder<> B(&Look);
  pinAt(B, What);
}

void BarrierCode::shade(IRBuilder<>& B, Value* V) {
  forEachWord(B, V, [&](Value* Word) {
    if (Word->getType()->isIntegerTy(WordBits)) {
      Word = B.CreateIntToPtr(Word, B.getPtrTy());
    }
    if (Word->getType()->isPointerTy()) {
      B.CreateCall(Shade, {Word});
    }
  });
}

Instruction* BarrierCode::ifMarking(Instruction& Before) {
  IRBuilder<> B(&Before);
  Value* Marking =
      B.CreateICmpNE(B.CreateLoad(B.getInt8Ty(), Flag, /*isVolatile=*/true), B.getInt8(0));
  MDNode* Rarely = MDBuilder(C).createBranchWeights(1, 100000);
  return SplitBlockAndInsertIfThen(Marking, &Before, false, Rarely);
}

void BarrierCode::beforeStore(Instruction& Store, Value* What) {
  pin(Store, What);
  IRBuilder<> B(ifMarking(Store));
  shade(B, What);
}

void BarrierCode::beforePart(StoreInst& Store) {
  IRBuilder<> B(&Store);
  Value* Part = Store.getValueOperand();
  Value* Address = B.CreatePtrToInt(Store.getPointerOperand(), B.getInt64Ty());
  Value* Shift = B.CreateShl(B.CreateAnd(Address, WordBytes - 1), 3);
  Value* Place = B.CreateIntToPtr(B.CreateAnd(Address, ~(WordBytes - 1)), B.getPtrTy());
  Value* Old = B.CreateLoad(B.getInt64Ty(), Place, /*isVolatile=*/true);
  uint64_t Bits = Part->getType()->getIntegerBitWidth();
  Value* Hole = B.CreateShl(B.getInt64((uint64_t{1} << Bits) - 1), Shift);
  Value* Word = B.CreateOr(B.CreateAnd(Old, B.CreateNot(Hole)),
                           B.CreateShl(B.CreateZExt(Part, B.getInt64Ty()), Shift));
  beforeStore(Store, Word);
  // It is known until the last part is there.
  B.SetInsertPoint(Store.getNextNode());
  pinAt(B, Word);
}

/// burrow.shade_words(to, from, bytes): every word that will be one at the target.
FunctionCallee BarrierCode::shadeWords() {
  if (Function* Known = M.getFunction("burrow.shade_words")) {
    return Known;
  }
  Type *Pointer = PointerType::get(C, 0), *Size = Type::getInt64Ty(C);
  auto* F = Function::Create(FunctionType::get(Type::getVoidTy(C), {Pointer, Pointer, Size}, false),
                             GlobalValue::InternalLinkage, "burrow.shade_words", M);
  F->addFnAttr(Attribute::NoInline);
  F->addFnAttr(Attribute::Cold);
  BasicBlock *Entry = BasicBlock::Create(C, "", F), *Head = BasicBlock::Create(C, "", F);
  BasicBlock *Body = BasicBlock::Create(C, "", F), *Exit = BasicBlock::Create(C, "", F);
  IRBuilder<> B(Entry);
  // Pointers lie at multiples of eight.
  Value* To = B.CreatePtrToInt(F->getArg(0), Size);
  Value* First = B.CreateAnd(B.CreateNeg(To), WordBytes - 1);
  B.CreateBr(Head);
  B.SetInsertPoint(Head);
  PHINode* At = B.CreatePHI(Size, 2);
  At->addIncoming(First, Entry);
  Value* Next = B.CreateAdd(At, B.getInt64(WordBytes));
  B.CreateCondBr(B.CreateICmpULE(Next, F->getArg(2)), Body, Exit);
  B.SetInsertPoint(Body);
  Value* From = B.CreatePtrAdd(F->getArg(1), At);
  B.CreateCall(Shade, {B.CreateAlignedLoad(Pointer, From, Align(1))});
  At->addIncoming(Next, Body);
  B.CreateBr(Head);
  B.SetInsertPoint(Exit);
  B.CreateRetVoid();
  return F;
}

void BarrierCode::beforeCopy(Instruction& Copy, Value* To, Value* From, Value* Bytes) {
  IRBuilder<> B(ifMarking(Copy));
  B.CreateCall(shadeWords(), {To, From, B.CreateZExtOrTrunc(Bytes, B.getInt64Ty())});
}

void BarrierCode::beforeCopy(AnyMemTransferInst& Move) {
  beforeCopy(Move, Move.getRawDest(), Move.getRawSource(), Move.getLength());
}

/// All is read before anything is written, so it does not matter whether they overlap.
void BarrierCode::copyInline(AnyMemTransferInst& Move, uint64_t Bytes) {
  IRBuilder<> B(&Move);
  Align FromAlign = Move.getSourceAlign().valueOrOne(), ToAlign = Move.getDestAlign().valueOrOne();
  SmallVector<std::pair<Value*, uint64_t>> Parts;
  for (uint64_t At = 0; At < Bytes;) {
    uint64_t Size = WordBytes;
    while (Size > Bytes - At) {
      Size /= 2;
    }
    Type* T = Size == WordBytes ? static_cast<Type*>(B.getPtrTy()) : B.getIntNTy(Size * 8);
    Value* From = B.CreateConstGEP1_64(B.getInt8Ty(), Move.getRawSource(), At);
    Parts.push_back(
        {B.CreateAlignedLoad(T, From, commonAlignment(FromAlign, At), Move.isVolatile()), At});
    At += Size;
  }
  for (auto& [Part, At] : Parts) {
    pinAt(B, Part);
  }
  B.SetInsertPoint(ifMarking(Move));
  for (auto& [Part, At] : Parts) {
    shade(B, Part);
  }
  B.SetInsertPoint(&Move);
  for (auto& [Part, At] : Parts) {
    Value* To = B.CreateConstGEP1_64(B.getInt8Ty(), Move.getRawDest(), At);
    B.CreateAlignedStore(Part, To, commonAlignment(ToAlign, At), Move.isVolatile());
  }
  Move.eraseFromParent();
}

void BarrierCode::copyByLibrary(Instruction& Before, Value* To, Value* From, Value* Bytes) {
  IRBuilder<> B(&Before);
  B.CreateCall(Copy, {To, From, B.CreateZExtOrTrunc(Bytes, B.getInt64Ty())});
}

void BarrierCode::callOnlyIf(Value* Condition, CallInst& Call) {
  Instruction* Then = SplitBlockAndInsertIfThen(Condition, &Call, false);
  IRBuilder<> B(Then);
  SmallVector<Value*> Arguments(Call.args());
  B.CreateCall(Call.getFunctionType(), Call.getCalledOperand(), Arguments);
}

}  // namespace burrow
