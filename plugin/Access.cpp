// See Access.h.
#include "Access.h"

#include "Options.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace burrow {

namespace {

bool TypesOfIrTell = false;

constexpr const char* TypedCopy = "burrow.typed";

bool anyElement(const Type* T, function_ref<bool(const Type*)> Is) {
  if (auto* Array = dyn_cast<ArrayType>(T)) {
    return anyElement(Array->getElementType(), Is);
  }
  if (auto* Struct = dyn_cast<StructType>(T)) {
    return any_of(Struct->elements(), [&](const Type* E) { return anyElement(E, Is); });
  }
  return Is(T);
}

/// The types of an access as its TBAA tag has them.
struct AccessType {
  const MDNode* Base = nullptr;
  const MDNode* Accessed = nullptr;

  explicit AccessType(const Instruction& I) {
    MDNode* Tag = I.getMetadata(LLVMContext::MD_tbaa);
    if (Tag && Tag->getNumOperands() >= 3) {
      Base = dyn_cast<MDNode>(Tag->getOperand(0));
      Accessed = dyn_cast<MDNode>(Tag->getOperand(1));
    }
  }

  StringRef name() const {
    auto* Name = Accessed && Accessed->getNumOperands()
                     ? dyn_cast<MDString>(Accessed->getOperand(0))
                     : nullptr;
    return Name ? Name->getString() : "";
  }

  bool isPointer() const { return name() == "any pointer"; }

  /// Whether strict aliasing excludes a pointer object there.
  bool isNumber() const {
    StringRef Name = name();
    if (Name == "omnipotent char") {
      return Base && Base != Accessed;
    }
    return Name.starts_with("_ZTS") ||  // an enumeration
           StringSwitch<bool>(Name)
               .Cases("bool", "short", "int", "long", "long long", "__int128", true)
               .Cases("float", "double", "long double", "_Float16", "__float128", true)
               .Cases("wchar_t", "char8_t", "char16_t", "char32_t", true)
               .Default(false);
  }
};

/// At -O0: whether the address is that of a member of a class with the type itself.
bool isMember(const Value* Address, const Type* T) {
  auto* Element = dyn_cast<GEPOperator>(Address);
  auto* Of = Element ? dyn_cast<StructType>(Element->getSourceElementType()) : nullptr;
  return Of && Of->hasName() && !Of->getName().starts_with("union.") &&
         Element->getNumIndices() == 2 && Element->getResultElementType() == T;
}

/// At -O0: whether no pointer object can be read with the type.
bool isNumberAtO0(const Value* Address, const Type* T) {
  if (!TypesOfIrTell || T->isVectorTy() || hasPointer(T)) {
    return false;
  }
  bool Scalar = T->isIntegerTy() || T->isFloatingPointTy();
  // An i8 may be a char; what is as wide as a pointer may be a value passed in a register.
  bool Narrow = Scalar && T->getPrimitiveSizeInBits() > 8 && T->getPrimitiveSizeInBits() < 64;
  return Narrow || (Scalar && isMember(Address, T));
}

}  // namespace

bool hasPointer(const Type* T) {
  return anyElement(T, [](const Type* E) { return E->isPtrOrPtrVectorTy(); });
}

bool mayHoldPointer(const Type* T) {
  return anyElement(T, [](const Type* E) {
    if (auto* Vector = dyn_cast<FixedVectorType>(E); Vector && E->isIntOrIntVectorTy()) {
      return Vector->getPrimitiveSizeInBits().getFixedValue() >= 64;
    }
    return E->isPtrOrPtrVectorTy() || isa<ScalableVectorType>(E) ||
           (E->isIntegerTy() && E->getIntegerBitWidth() >= 64);
  });
}

bool carriesBits(const Type* T) {
  return anyElement(T, [](const Type* E) {
    if (planted("floats") && E->isFPOrFPVectorTy()) {
      return false;
    }
    if (planted("narrow") && !mayHoldPointer(E) && !E->isFPOrFPVectorTy()) {
      return false;
    }
    return E->isSingleValueType() && !E->getScalarType()->isIntegerTy(1);
  });
}

Planes readBy(const LoadInst& Load) {
  AccessType Of(Load);
  bool Number =
      Of.Accessed ? Of.isNumber() : isNumberAtO0(Load.getPointerOperand(), Load.getType());
  return Number ? Planes::Raw : Planes::Both;
}

Planes writtenBy(const StoreInst& Store) {
  const Value* V = Store.getValueOperand();
  AccessType Of(Store);
  bool Pointer = Of.Accessed ? Of.isPointer() : TypesOfIrTell && hasPointer(V->getType());
  return Pointer ? Planes::Typed : Planes::Raw;
}

bool keepsTypes(const AnyMemTransferInst& Copy) {
  return Copy.hasMetadata(LLVMContext::MD_tbaa_struct) || Copy.hasMetadata(TypedCopy) ||
         planted("untyped-copy");
}

void noteTypedCopy(AnyMemTransferInst& Copy) {
  Copy.setMetadata(TypedCopy, MDNode::get(Copy.getContext(), {}));
}

void setTypesOfIrTell(bool Tell) {
  TypesOfIrTell = Tell;
}

}  // namespace burrow
