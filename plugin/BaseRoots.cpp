// See BaseRoots.h.
#include "BaseRoots.h"

#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr unsigned WordBits = 64;

bool isWord(const Value* V) {
  return V->getType()->isPtrOrPtrVectorTy() || V->getType()->isIntegerTy(WordBits);
}

bool keepsAddress(Intrinsic::ID Which) {
  return Which == Intrinsic::ptrmask || Which == Intrinsic::launder_invariant_group ||
         Which == Intrinsic::strip_invariant_group;
}

/// The operands that the result has its address from; false: the instruction makes an address of
/// its own.
bool sources(const Instruction& I, SmallVectorImpl<Value*>& From) {
  switch (I.getOpcode()) {
    case Instruction::GetElementPtr:
    case Instruction::PtrToInt:
    case Instruction::IntToPtr:
    case Instruction::BitCast:
    case Instruction::Freeze:
    case Instruction::ExtractElement:
      From.push_back(I.getOperand(0));
      return true;
    case Instruction::Select:
      From.append({I.getOperand(1), I.getOperand(2)});
      return true;
    case Instruction::InsertElement:
    case Instruction::ShuffleVector:
    case Instruction::Add:
    case Instruction::Sub:
    case Instruction::And:
    case Instruction::Or:
    case Instruction::Xor:
      From.append({I.getOperand(0), I.getOperand(1)});
      return true;
    case Instruction::Call:
      if (auto* Call = dyn_cast<IntrinsicInst>(&I); Call && keepsAddress(Call->getIntrinsicID())) {
        From.push_back(Call->getArgOperand(0));
        return true;
      }
      return false;
    default:
      return false;
  }
}

bool isSum(const Instruction& I) {
  return isa<BinaryOperator>(I);
}

void note(Derivation& D, const Instruction& I) {
  if (auto* Gep = dyn_cast<GEPOperator>(&I)) {
    D.Indexed |= !Gep->hasAllConstantIndices();
    D.Loose |= !Gep->isInBounds() && !Gep->hasAllZeroIndices();
  } else if (isSum(I) || isa<IntrinsicInst>(I)) {
    D.Indexed |= !isa<Constant>(I.getOperand(1));
    D.Loose = true;
  }
}

void insert(Derivation& D, Value* Root) {
  if (!is_contained(D.Roots, Root)) {
    D.Roots.push_back(Root);
  }
}

bool hasPointer(const Derivation& D) {
  return any_of(D.Roots, [](const Value* V) { return V->getType()->isPtrOrPtrVectorTy(); });
}

}  // namespace

BaseRoots::BaseRoots(Function& F, const DominatorTree& Of) : Tree(Of) {
  for (Argument& A : F.args()) {
    Seen.insert(&A);
  }
  // Operands come before their users, except those of phis.
  ReversePostOrderTraversal<Function*> Order(&F);
  for (BasicBlock* Block : Order) {
    for (Instruction& I : *Block) {
      visit(I);
      Seen.insert(&I);
    }
  }
}

void BaseRoots::visit(Instruction& I) {
  if (!isWord(&I)) {
    return;
  }
  if (auto* Phi = dyn_cast<PHINode>(&I)) {
    return phi(*Phi);
  }
  SmallVector<Value*, 2> From;
  if (!sources(I, From)) {
    return;
  }
  Derivation D;
  if (isSum(I)) {
    sum(D, From[0], From[1]);
  } else {
    for (Value* V : From) {
      add(D, V);
    }
  }
  note(D, I);
  Known[&I] = std::move(D);
}

void BaseRoots::add(Derivation& To, Value* From) const {
  if (const Derivation* D = find(From)) {
    for (Value* Root : D->Roots) {
      insert(To, Root);
    }
    To.Indexed |= D->Indexed;
    To.Stepped |= D->Stepped;
    To.Loose |= D->Loose;
  } else if (isWord(From) && (!isa<ConstantData>(From))) {
    insert(To, From);
  }
}

/// Of a pointer and a number only the pointer counts.
void BaseRoots::sum(Derivation& To, Value* Left, Value* Right) const {
  Derivation L, R;
  add(L, Left);
  add(R, Right);
  bool FromLeft = hasPointer(L), FromRight = hasPointer(R);
  if (FromLeft || !FromRight) {
    add(To, Left);
  }
  if (FromRight || !FromLeft) {
    add(To, Right);
  }
}

/// What flows into the phi, by way of values that are not known yet.
void BaseRoots::collect(PHINode& Phi, Derivation& To) const {
  SmallVector<Value*> Work(Phi.incoming_values());
  SmallPtrSet<const Value*, 8> Done = {&Phi};
  while (!Work.empty()) {
    Value* V = Work.pop_back_val();
    if (!Done.insert(V).second) {
      continue;
    }
    auto* I = dyn_cast<Instruction>(V);
    if (!I || Seen.contains(V)) {
      add(To, V);
      continue;
    }
    if (auto* Inner = dyn_cast<PHINode>(I)) {
      Work.append(Inner->op_begin(), Inner->op_end());
      continue;
    }
    SmallVector<Value*, 2> From;
    if (!sources(*I, From)) {
      insert(To, V);
      continue;
    }
    note(To, *I);
    for (Value* Source : From) {
      // A step's width is no address.
      if (isSum(*I) && (!isa<Instruction>(Source) || Seen.contains(Source))) {
        Derivation D;
        add(D, Source);
        if (Source != &Phi && !hasPointer(D)) {
          continue;
        }
      }
      Work.push_back(Source);
    }
  }
}

void BaseRoots::phi(PHINode& Phi) {
  Derivation D;
  collect(Phi, D);
  erase(D.Roots, &Phi);
  D.Stepped = true;
  auto Dominates = [&](Value* Root) { return Tree.dominates(Root, &Phi); };
  if (D.Roots.size() > 1 || !all_of(D.Roots, Dominates)) {
    if (!D.Loose) {
      return;  // a root itself
    }
    // It may be out of its objects, and has no one base: what is there of them stays, too.
    erase_if(D.Roots, [&](Value* Root) { return !Dominates(Root); });
    insert(D, &Phi);
  }
  Known[&Phi] = std::move(D);
}

}  // namespace burrow
