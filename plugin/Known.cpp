// Names and facts of functions that have no body to analyse. See Known.h.
#include "Known.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace burrow {

namespace {

bool isPlainNew(StringRef Name) {
  return Name == "_Znwm" || Name == "_Znam" || Name == "malloc";
}

Callee freeKind(StringRef Name) {
  return StringSwitch<Callee>(Name)
      .Cases("free", "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", Callee::Free)
      .Cases("realloc", "reallocarray", "cfree", Callee::FreeOther)
      .Default(Name.starts_with("_ZdlPv") || Name.starts_with("_ZdaPv") ? Callee::FreeOther
                                                                        : Callee::Other);
}

/// The one value that a variable is ever given, as -O0 passes arguments on; null where there is
/// none or another.
const Value* onlyValueOf(const AllocaInst& Variable, const Type* T) {
  const Value* Only = nullptr;
  for (const User* U : Variable.users()) {
    auto* Store = dyn_cast<StoreInst>(U);
    if (Store && Store->getPointerOperand() == &Variable && !Only &&
        Store->getValueOperand()->getType() == T) {
      Only = Store->getValueOperand();
      continue;
    }
    auto* Marker = dyn_cast<IntrinsicInst>(U);
    if (!isa<LoadInst>(U) &&
        !(Marker && (isa<DbgInfoIntrinsic>(Marker) || Marker->isLifetimeStartOrEnd()))) {
      return nullptr;
    }
  }
  return Only;
}

/// The constant that the value is, by way of such variables; or the value.
const Value* lookThrough(const Value* V) {
  for (unsigned Steps = 0; Steps < 8 && V; ++Steps) {
    auto* Load = dyn_cast<LoadInst>(V);
    auto* Variable = Load ? dyn_cast<AllocaInst>(Load->getPointerOperand()) : nullptr;
    if (!Variable) {
      break;
    }
    V = onlyValueOf(*Variable, V->getType());
  }
  return V;
}

const ConstantInt* constantCount(const Value* V) {
  return dyn_cast_or_null<ConstantInt>(lookThrough(V));
}

}  // namespace

Callee calleeOf(const CallBase& Call) {
  const Function* F = Call.getCalledFunction();
  if (!F || Call.arg_size() != F->arg_size()) {
    return Callee::Other;
  }
  StringRef Name = F->getName();
  if (Name == "burrow_closure_made" && Call.arg_size() == 2) {
    return Callee::ClosureMade;
  }
  if (Name == "burrow_closure_used" && Call.arg_size() == 1) {
    return Callee::ClosureUsed;
  }
  if (Name == "burrow_gc_new" && Call.arg_size() == 2) {
    return Callee::Make;
  }
  if (Name == "burrow_gc_new_array" && Call.arg_size() == 2) {
    return Callee::MakeArray;
  }
  if (Callee Kind = freeKind(Name); Kind != Callee::Other) {
    bool Replaced = Call.isNoBuiltin() || !F->isDeclaration();
    return Replaced ? Callee::FreeOther : Kind;
  }
  if (F->isDeclaration() && Call.arg_size() == 1 && isPlainNew(Name) && !Call.isNoBuiltin()) {
    return Callee::New;
  }
  // Whatever else is said to free or to move its argument.
  if (F->hasFnAttribute(Attribute::AllocKind)) {
    AllocFnKind Kind = F->getAttributes().getAllocKind();
    if ((Kind & (AllocFnKind::Free | AllocFnKind::Realloc)) != AllocFnKind::Unknown) {
      return Callee::FreeOther;
    }
  }
  return Callee::Other;
}

TypeFacts typeFacts(const CallBase& Call) {
  TypeFacts Facts;
  auto* Global = dyn_cast<GlobalVariable>(Call.getArgOperand(1)->stripPointerCasts());
  if (!Global || !Global->isConstant() || !Global->hasInitializer() || Global->isInterposable()) {
    return Facts;
  }
  // TypeInfo: size, pointers, destroy, name, kind (include/burrow/internal/object.h).
  const Constant* Init = Global->getInitializer();
  auto* Size = dyn_cast_or_null<ConstantInt>(Init->getAggregateElement(0U));
  const Constant* Destroy = Init->getAggregateElement(2U);
  if (!Size || !Destroy) {
    return Facts;
  }
  Facts.Info = Global;
  Facts.Size = Size->getZExtValue();
  Facts.HasDestructor = !Destroy->isNullValue();
  return Facts;
}

Function* closureCode(const CallBase& Call) {
  const Value* Code = lookThrough(Call.getArgOperand(1));
  return Code ? dyn_cast<Function>(const_cast<Value*>(Code->stripPointerCasts())) : nullptr;
}

std::optional<uint64_t> allocationSize(const CallBase& Call, Callee Kind) {
  const ConstantInt* Count = constantCount(Call.getArgOperand(0));
  if (!Count || Count->getValue().getActiveBits() > 40) {
    return std::nullopt;
  }
  if (Kind != Callee::MakeArray) {
    return Count->getZExtValue();
  }
  TypeFacts Facts = typeFacts(Call);
  if (!Facts.Info || Facts.Size > (uint64_t{1} << 20)) {
    return std::nullopt;
  }
  return Count->getZExtValue() * Facts.Size;
}

bool isHarmlessIntrinsic(const IntrinsicInst& Call) {
  switch (Call.getIntrinsicID()) {
    case Intrinsic::lifetime_start:
    case Intrinsic::lifetime_end:
    case Intrinsic::invariant_start:
    case Intrinsic::invariant_end:
    case Intrinsic::assume:
    case Intrinsic::experimental_noalias_scope_decl:
    case Intrinsic::dbg_assign:
    case Intrinsic::dbg_declare:
    case Intrinsic::dbg_label:
    case Intrinsic::dbg_value:
    case Intrinsic::donothing:
    case Intrinsic::is_constant:
    case Intrinsic::memset:
    case Intrinsic::memset_inline:
    case Intrinsic::objectsize:
    case Intrinsic::prefetch:
    case Intrinsic::pseudoprobe:
    case Intrinsic::sideeffect:
    case Intrinsic::stackrestore:
    case Intrinsic::trap:
    case Intrinsic::debugtrap:
    case Intrinsic::ubsantrap:
    case Intrinsic::var_annotation:
    case Intrinsic::eh_typeid_for:
      return true;
    default:
      return false;
  }
}

ArrayRef<unsigned> linkedParams(StringRef Name) {
  static const unsigned First[] = {0};
  static const unsigned FirstTwo[] = {0, 1};
  static const unsigned FirstThree[] = {0, 1, 2};
  static const unsigned AfterFlag[] = {1, 2, 3};
  return StringSwitch<ArrayRef<unsigned>>(Name)
      .Case("_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_", AfterFlag)
      .Case("_ZSt28_Rb_tree_rebalance_for_erasePSt18_Rb_tree_node_baseRS_", FirstTwo)
      .Cases("_ZSt18_Rb_tree_incrementPSt18_Rb_tree_node_base",
             "_ZSt18_Rb_tree_incrementPKSt18_Rb_tree_node_base",
             "_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base",
             "_ZSt18_Rb_tree_decrementPKSt18_Rb_tree_node_base", First)
      .Case("_ZNSt8__detail15_List_node_base7_M_hookEPS0_", FirstTwo)
      .Case("_ZNSt8__detail15_List_node_base9_M_unhookEv", First)
      .Case("_ZNSt8__detail15_List_node_base10_M_reverseEv", First)
      .Case("_ZNSt8__detail15_List_node_base4swapERS0_S1_", FirstTwo)
      .Case("_ZNSt8__detail15_List_node_base11_M_transferEPS0_S1_", FirstThree)
      .Default({});
}

}  // namespace burrow
