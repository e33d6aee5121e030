// See Barrier.h.
#include "Barrier.h"

#include <map>

#include "BarrierCode.h"
#include "Carry.h"
#include "Options.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

/// Longer copies are left to the library.
constexpr uint64_t MostInline = 64;

/// Whether the address may be in a collected object: a variable and a global are not.
bool mayBeCollected(const Value* Address) {
  if (!Address->getType()->isPointerTy()) {
    return true;  // a vector of addresses
  }
  SmallVector<const Value*, 4> Objects;
  getUnderlyingObjects(Address, Objects);
  return !all_of(Objects, [](const Value* V) {
    return isa<AllocaInst, GlobalVariable, ConstantPointerNull, UndefValue>(V);
  });
}

/// Memory that the collector looks through when marking begins, and that keeps its content until
/// the copy is made.
bool isOwnVariable(const Value* Address) {
  SmallVector<const Value*, 4> Objects;
  getUnderlyingObjects(Address, Objects);
  return all_of(Objects, [](const Value* V) {
    auto* Global = dyn_cast<GlobalVariable>(V);
    return isa<AllocaInst>(V) || (Global && Global->isConstant());
  });
}

/// What a call of the C library copies; `End` where its result is the end of the target.
struct LibraryCopy {
  unsigned To, From, Bytes;
  unsigned Unit = 1;
  bool End = false;
  int Limit = -1;  ///< the argument that says how much room there is
};

std::optional<LibraryCopy> libraryCopy(const CallBase& Call) {
  const Function* F = Call.getCalledFunction();
  if (!F || !F->isDeclaration() || F->isIntrinsic()) {
    return std::nullopt;
  }
  using Found = std::optional<LibraryCopy>;
  Found Copy = StringSwitch<Found>(F->getName())
                   .Cases("memcpy", "memmove", LibraryCopy{0, 1, 2})
                   .Case("mempcpy", LibraryCopy{0, 1, 2, 1, true})
                   .Cases("wmemcpy", "wmemmove", LibraryCopy{0, 1, 2, 4})
                   .Case("wmempcpy", LibraryCopy{0, 1, 2, 4, true})
                   .Case("bcopy", LibraryCopy{1, 0, 2})
                   .Cases("__memcpy_chk", "__memmove_chk", LibraryCopy{0, 1, 2, 1, false, 3})
                   .Case("__mempcpy_chk", LibraryCopy{0, 1, 2, 1, true, 3})
                   .Default(std::nullopt);
  if (!Copy || Call.arg_size() != (Copy->Limit < 0 ? 3U : 4U) || isa<InvokeInst>(Call)) {
    return std::nullopt;
  }
  return Copy;
}

class Inserter {
 public:
  explicit Inserter(Module& Of) : Code(Of), Layout(Of.getDataLayout()) {}

  void run(Function& F);

 private:
  void look(Instruction& I);
  void stored(Instruction& I, Value* What, const Value* Address);
  void call(CallBase& Call);
  void library(CallInst& Call, const LibraryCopy& Copy);
  void copy(AnyMemTransferInst& Move);
  void narrow(StoreInst& Store);

  BarrierCode Code;
  const DataLayout& Layout;
};

void Inserter::stored(Instruction& I, Value* What, const Value* Address) {
  if (isWide(What->getType(), Layout) && mayCarry(What) && mayBeCollected(Address)) {
    Code.beforeStore(I, What);
  }
}

/// A part of a pointer, which may be the last one that was missing.
void Inserter::narrow(StoreInst& Store) {
  Value* Part = Store.getValueOperand();
  uint64_t Bits = Layout.getTypeSizeInBits(Part->getType()).getKnownMinValue();
  if (Part->getType()->isIntegerTy() && Bits % 8 == 0 && Bits < 64 && accessesBytes(Store) &&
      mayCarry(Part) && mayBeCollected(Store.getPointerOperand())) {
    Code.beforePart(Store);
  }
}

void Inserter::copy(AnyMemTransferInst& Move) {
  auto* Length = dyn_cast<ConstantInt>(Move.getLength());
  bool Short = Length && Length->getValue().ule(MostInline);
  if ((Length && Length->getValue().ult(8)) || !mayBeCollected(Move.getRawDest())) {
    return;
  }
  if (isOwnVariable(Move.getRawSource()) || planted("barrier-window")) {
    Code.beforeCopy(Move);
  } else if (Short && Move.getDestAlign().valueOrOne() >= 8) {
    Code.copyInline(Move, Length->getZExtValue());
  } else {
    Code.copyByLibrary(Move, Move.getRawDest(), Move.getRawSource(), Move.getLength());
    Move.eraseFromParent();
  }
}

void Inserter::library(CallInst& Call, const LibraryCopy& Copy) {
  Value *To = Call.getArgOperand(Copy.To), *From = Call.getArgOperand(Copy.From);
  if (!mayBeCollected(To)) {
    return;
  }
  IRBuilder<> B(&Call);
  Value* Bytes = B.CreateMul(Call.getArgOperand(Copy.Bytes), B.getInt64(Copy.Unit));
  if (Copy.Limit >= 0) {
    // It ends the program when there is no room; of what it copies then, nothing is kept.
    Code.callOnlyIf(B.CreateICmpUGT(Bytes, Call.getArgOperand(Copy.Limit)), Call);
    B.SetInsertPoint(&Call);
  }
  Code.copyByLibrary(Call, To, From, Bytes);
  if (!Call.getType()->isVoidTy()) {
    B.SetInsertPoint(&Call);
    Call.replaceAllUsesWith(Copy.End ? B.CreatePtrAdd(To, Bytes) : To);
  }
  Call.eraseFromParent();
}

void Inserter::call(CallBase& Call) {
  if (auto Copy = libraryCopy(Call)) {
    library(cast<CallInst>(Call), *Copy);
    return;
  }
  const Function* F = Call.getCalledFunction();
  if (!F || !Call.mayWriteToMemory()) {
    return;
  }
  StringRef Name = F->getName();
  bool Atomic = Name.starts_with("__atomic_") && F->isDeclaration();
  auto IsPlace = [](const Value* V) { return V->getType()->isPointerTy(); };
  bool Collected = none_of(Call.args(), IsPlace) || any_of(Call.args(), [&](const Value* V) {
                     return IsPlace(V) && mayBeCollected(V);
                   });
  if (!Collected || !(Atomic || F->isIntrinsic())) {
    return;
  }
  // Stores of vectors under a mask or to many places, of all kinds of processors; wide atomics.
  for (Value* Argument : Call.args()) {
    Type* T = Argument->getType();
    if ((T->isVectorTy() || T->isIntegerTy(128)) && isWide(T, Layout) && mayCarry(Argument)) {
      Code.beforeStore(Call, Argument);
    }
  }
  // Those of any size take values by address, mostly of a variable. (size, object, value, ...)
  unsigned At = StringSwitch<unsigned>(Name)
                    .Cases("__atomic_store", "__atomic_exchange", 2)
                    .Case("__atomic_compare_exchange", 3)
                    .Default(0);
  if (At != 0 && Call.arg_size() > At && mayBeCollected(Call.getArgOperand(1))) {
    Code.beforeCopy(Call, Call.getArgOperand(1), Call.getArgOperand(At), Call.getArgOperand(0));
  }
}

void Inserter::look(Instruction& I) {
  if (auto* Store = dyn_cast<StoreInst>(&I)) {
    Value* What = Store->getValueOperand();
    if (!isWide(What->getType(), Layout)) {
      if (!planted("barrier-part")) {
        narrow(*Store);
      }
    } else if (!planted("barrier-store") &&
               (accessesBytes(*Store) || !What->getType()->isFPOrFPVectorTy()) &&
               !(planted("barrier-vector") && What->getType()->isVectorTy())) {
      stored(I, What, Store->getPointerOperand());
    }
  } else if (auto* Swap = dyn_cast<AtomicCmpXchgInst>(&I)) {
    stored(I, Swap->getNewValOperand(), Swap->getPointerOperand());
  } else if (auto* Update = dyn_cast<AtomicRMWInst>(&I)) {
    if (Update->getOperation() == AtomicRMWInst::Xchg) {
      stored(I, Update->getValOperand(), Update->getPointerOperand());
    }
  } else if (auto* Move = dyn_cast<AnyMemTransferInst>(&I)) {
    if (!planted("barrier-copy")) {
      copy(*Move);
    }
  } else if (auto* Call = dyn_cast<CallBase>(&I)) {
    call(*Call);
  }
}

void Inserter::run(Function& F) {
  SmallVector<Instruction*> All;
  for (Instruction& I : instructions(F)) {
    if (I.mayWriteToMemory()) {
      All.push_back(&I);
    }
  }
  for (Instruction* I : All) {
    look(*I);
  }
}

/// The block in which the flag was looked at before the barrier's call, and that look.
LoadInst* lookBefore(const CallBase& Shade, const Value* Flag) {
  const BasicBlock* Block = Shade.getParent();
  for (unsigned Steps = 0; Block && Steps < 8; ++Steps) {
    for (const Instruction& I : reverse(*Block)) {
      auto* Load = dyn_cast<LoadInst>(&I);
      if (Load && Load->isVolatile() && Load->getPointerOperand() == Flag) {
        return const_cast<LoadInst*>(Load);
      }
    }
    Block = Block->getSinglePredecessor();
  }
  return nullptr;
}

/// The headers' own barriers: what is to be stored is known before the flag is looked at.
void pinHeaders(Module& M) {
  Function* Shade = M.getFunction("burrow_gc_shade");
  const Value* Flag = M.getNamedValue("burrow_gc_marking");
  if (!Shade || !Flag || planted("barrier-pin")) {
    return;
  }
  BarrierCode Code(M);
  SmallVector<std::pair<LoadInst*, Value*>> Found;
  std::map<Function*, DominatorTree> Trees;
  for (User* U : Shade->users()) {
    auto* Call = dyn_cast<CallBase>(U);
    LoadInst* Look = Call && Call->getCalledFunction() == Shade && Call->arg_size() == 1
                         ? lookBefore(*Call, Flag)
                         : nullptr;
    if (!Look || isa<Constant>(Call->getArgOperand(0))) {
      continue;
    }
    auto [Tree, New] = Trees.try_emplace(Look->getFunction());
    if (New) {
      Tree->second.recalculate(*Look->getFunction());
    }
    if (Tree->second.dominates(Call->getArgOperand(0), Look)) {
      Found.push_back({Look, Call->getArgOperand(0)});
    }
  }
  for (auto& [Look, What] : Found) {
    Code.pin(*Look, What);
  }
}

}  // namespace

PreservedAnalyses BarrierPass::run(Module& M, ModuleAnalysisManager& /*Analyses*/) {
  pinHeaders(M);
  if (!Options::barriers()) {
    return PreservedAnalyses::none();
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
