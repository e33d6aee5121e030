// See Frames.h.
#include "Frames.h"

#include <map>

#include "Options.h"
#include "Recursion.h"
#include "llvm/ADT/SCCIterator.h"
#include "llvm/Analysis/CallGraph.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

/// Metadata on the stack variables of moved objects; an operand says that it was a block of new.
constexpr const char* SlotTag = "burrow.slot";
constexpr uint64_t SlotAlign = 16;

class Planner {
 public:
  explicit Planner(Module& Of) : Calls(Of), Outside(Of) {}

  bool run() {
    for (auto It = scc_begin(&Calls); !It.isAtEnd(); ++It) {
      SmallPtrSet<const Function*, 8> Component;
      for (const CallGraphNode* Node : *It) {
        Component.insert(Node->getFunction());
      }
      for (CallGraphNode* Node : *It) {
        if (Function* F = Node->getFunction(); F && !F->isDeclaration()) {
          plan(*F, Component, It.hasCycle() || Outside.byOthers(*F));
        }
      }
    }
    return Changed;
  }

 private:
  /// What the call would bring into its caller's frame if it were inlined.
  FrameBytes brings(const CallBase& Call, const SmallPtrSetImpl<const Function*>& Component) const {
    const Function* To = Call.getCalledFunction();
    auto At = To ? Frames.find(To) : Frames.end();
    bool Stays = At == Frames.end() || Call.isNoInline() || Component.contains(To);
    return Stays ? FrameBytes() : At->second;
  }

  void plan(Function& F, const SmallPtrSetImpl<const Function*>& Component, bool Recursive) {
    FrameBytes Taken = slotsOf(F);
    // The small ones first; in the order of the code among equals.
    std::multimap<uint64_t, std::pair<FrameBytes, CallBase*>> Joining;
    for (Instruction& I : instructions(F)) {
      if (auto* Call = dyn_cast<CallBase>(&I)) {
        if (FrameBytes B = brings(*Call, Component); B.All) {
          Joining.insert({B.All, {B, Call}});
        }
      }
    }
    for (auto& [Size, Entry] : Joining) {
      auto& [Bytes, Call] = Entry;
      if ((Taken + Bytes).fits(frameBudget(Recursive)) || planted("frame-plan")) {
        Taken = Taken + Bytes;
      } else if (!Call->getCalledFunction()->hasFnAttribute(Attribute::AlwaysInline)) {
        Call->addFnAttr(Attribute::NoInline);
        Changed = true;
      }
    }
    if (Taken.All) {
      Frames[&F] = Taken;
    }
  }

  CallGraph Calls;
  Recursion Outside;
  std::map<const Function*, FrameBytes> Frames;
  bool Changed = false;
};

}  // namespace

FrameBytes frameBudget(bool Recursive) {
  uint64_t All = Recursive ? Options::recursiveBudget() : Options::frameBudget();
  return {All, std::min(All, Options::elideBudget())};
}

FrameBytes slotBytes(uint64_t Bytes, Callee Kind) {
  uint64_t Taken = alignTo(Bytes, SlotAlign);
  return {Taken, Kind == Callee::New ? Taken : 0};
}

void markSlot(AllocaInst& Slot, Callee Kind) {
  LLVMContext& C = Slot.getContext();
  Slot.setAlignment(Align(SlotAlign));
  Slot.setMetadata(
      SlotTag, Kind == Callee::New ? MDNode::get(C, MDString::get(C, "new")) : MDNode::get(C, {}));
}

FrameBytes slotsOf(const Function& F) {
  FrameBytes Sum;
  for (const Instruction& I : instructions(F)) {
    auto* Slot = dyn_cast<AllocaInst>(&I);
    if (const MDNode* Tag = Slot ? Slot->getMetadata(SlotTag) : nullptr) {
      uint64_t Bytes = Slot->getAllocationSize(F.getParent()->getDataLayout())->getFixedValue();
      Sum = Sum + slotBytes(Bytes, Tag->getNumOperands() ? Callee::New : Callee::Make);
    }
  }
  return Sum;
}

bool planFrames(Module& M) {
  return Planner(M).run();
}

}  // namespace burrow
