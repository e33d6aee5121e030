// See Carried.h.
#include "Carried.h"

#include <bitset>

#include "Known.h"
#include "Options.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

namespace {

/// Bytes that an instruction writes whatever happens, at a constant place in the variable.
struct Written {
  const Instruction* By;
  uint64_t From, To;
};

/// The uses of a variable: what they write, and where all of it may be read.
struct Uses {
  std::vector<Written> Writes;
  SmallVector<const Use*> Reads;

  void add(const Use& U, uint64_t Offset, const DataLayout& Layout) {
    auto* By = cast<Instruction>(U.getUser());
    if (auto* Marker = dyn_cast<IntrinsicInst>(By);
        Marker && isHarmlessIntrinsic(*Marker) && !isa<AnyMemIntrinsic>(By)) {
      return;
    }
    auto* Store = dyn_cast<StoreInst>(By);
    auto* Copy = dyn_cast<AnyMemIntrinsic>(By);
    auto* Length = Copy ? dyn_cast<ConstantInt>(Copy->getLength()) : nullptr;
    APInt Further(64, 0);
    if (Store && U.getOperandNo() == StoreInst::getPointerOperandIndex()) {
      uint64_t Size = Layout.getTypeStoreSize(Store->getValueOperand()->getType());
      Writes.push_back({By, Offset, Offset + Size});
    } else if (Copy && U.getOperandNo() == 0 && Length) {
      Writes.push_back({By, Offset, Offset + Length->getZExtValue()});
    } else if (auto* Element = dyn_cast<GetElementPtrInst>(By);
               Element && Element->accumulateConstantOffset(Layout, Further)) {
      for (const Use& Inner : Element->uses()) {
        add(Inner, Offset + Further.getZExtValue(), Layout);
      }
    } else {
      Reads.push_back(&U);
    }
  }
};

/// Whether each iteration writes the whole variable before anything of it may be read in it.
bool overwrittenInEachIteration(const AllocaInst& Variable, const Loop& L,
                                const DominatorTree& Tree) {
  const DataLayout& Layout = Variable.getModule()->getDataLayout();
  std::optional<TypeSize> Size = Variable.getAllocationSize(Layout);
  if (!Size || Size->isScalable() || Size->getFixedValue() > 256) {
    return false;
  }
  Uses Of;
  for (const Use& U : Variable.uses()) {
    Of.add(U, 0, Layout);
  }
  return all_of(Of.Reads, [&](const Use* Read) {
    std::bitset<256> Known;
    for (const Written& W : Of.Writes) {
      if (L.contains(W.By) && Tree.dominates(W.By, *Read)) {
        for (uint64_t At = W.From; At < std::min(W.To, Size->getFixedValue()); ++At) {
          Known.set(At);
        }
      }
    }
    return L.contains(cast<Instruction>(Read->getUser())) && Known.count() >= Size->getFixedValue();
  });
}

/// Whether a stack variable begins anew in each iteration of the loop before it is used in it.
bool beginsInEachIteration(const AllocaInst& Variable, const Loop& L, const DominatorTree& Tree) {
  SmallVector<const Instruction*> Starts;
  for (const User* U : Variable.users()) {
    auto* Marker = dyn_cast<IntrinsicInst>(U);
    if (Marker && Marker->getIntrinsicID() == Intrinsic::lifetime_start) {
      if (!L.contains(Marker)) {
        return false;
      }
      Starts.push_back(Marker);
    }
  }
  return all_of(Variable.uses(), [&](const Use& U) {
    auto* By = dyn_cast<IntrinsicInst>(U.getUser());
    return (By && By->isLifetimeStartOrEnd()) ||
           any_of(Starts, [&](const Instruction* Start) { return Tree.dominates(Start, U); });
  });
}

}  // namespace

/// Whether nothing keeps the variable's address: it is used where it is named.
bool Carried::namedOnly(ObjectId Variable) {
  if (!Kept) {
    Kept.emplace();
    for (NodeId N = 0; N < G.Points.size(); ++N) {
      const Value* Named =
          G.NodeValues[N] ? G.NodeValues[N]->stripInBoundsConstantOffsets() : nullptr;
      for (ObjectId O : G.Points[N]) {
        if (G.Objects[O].Kind == ObjectKind::Stack && (!Named || Named != G.Objects[O].Inst)) {
          Kept->set(O);
        }
      }
    }
  }
  return !Kept->test(Variable);
}

Carried::Reached Carried::around(const Loop& Inner) {
  SmallVector<NodeId> Work;
  for (const Loop* L = &Inner; L; L = L->getParentLoop()) {
    for (const PHINode& Phi : L->getHeader()->phis()) {
      if (planted("loop-phi")) {
        break;
      }
      if (auto It = G.Nodes.find(&Phi); It != G.Nodes.end()) {
        Work.push_back(It->second);
      }
    }
  }
  for (const Object& O : G.Objects) {
    bool Carries = false;
    if (planted("loop-memory")) {
      break;
    }
    if (O.Kind == ObjectKind::Stack) {
      auto& Variable = *cast<AllocaInst>(O.Inst);
      Carries =
          !beginsInEachIteration(Variable, Inner, Tree) &&
          !(namedOnly(&O - G.Objects.data()) && overwrittenInEachIteration(Variable, Inner, Tree));
    } else if (O.Kind == ObjectKind::Site) {
      Carries = !Inner.contains(O.Inst);
    }
    if (Carries) {
      Work.append({O.Typed, O.Raw});
    }
  }
  Reached All;
  DenseSet<NodeId> Seen;
  while (!Work.empty()) {
    NodeId N = Work.pop_back_val();
    if (!Seen.insert(N).second) {
      continue;
    }
    for (ObjectId O : G.Points[N]) {
      const Object& Of = G.Objects[O];
      if (All.try_emplace(O, N).second && O != Graph::Heap && Of.Kind != ObjectKind::Param) {
        Work.append({Of.Typed, Of.Raw});
      }
    }
  }
  return All;
}

std::optional<NodeId> Carried::by(const Site& S) {
  const Loop* Inner = Loops.getLoopFor(S.Call->getParent());
  if (!Inner) {
    return std::nullopt;
  }
  auto At = Known.find(Inner);
  if (At == Known.end()) {
    At = Known.emplace(Inner, around(*Inner)).first;
  }
  auto Found = At->second.find(S.Object);
  return Found == At->second.end() ? std::nullopt : std::optional(Found->second);
}

}  // namespace burrow
