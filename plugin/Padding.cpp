// See Padding.h.
#include "Padding.h"

#include "Bases.h"
#include "Options.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/RecordLayout.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Metadata.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr const char* ValuesTag = "burrow.values";
/// Of larger types padding is no great part of the cost.
constexpr uint64_t MostBytes = 512;
/// More pieces cost more than they save.
constexpr size_t MostRanges = 8;

class ValueBits {
 public:
  ValueBits(clang::ASTContext& Of, uint64_t Bytes) : C(Of), Bits(Bytes) {}

  void type(clang::QualType T, uint64_t Offset) {
    const clang::RecordDecl* Record = T->getAsRecordDecl();
    if (const auto* Array = C.getAsConstantArrayType(T)) {
      uint64_t Size = C.getTypeSizeInChars(Array->getElementType()).getQuantity();
      for (uint64_t N = 0; N < Array->getSize().getZExtValue(); ++N) {
        type(Array->getElementType(), Offset + N * Size);
      }
    } else if (Record) {
      record(*Record, Offset, true);
    } else if (T->isIncompleteType()) {
      Known = false;
    } else {
      take(Offset, C.getTypeSizeInChars(T).getQuantity());
    }
  }

  bool Known = true;

  ByteRanges ranges() const {
    ByteRanges Ranges;
    for (int At = Bits.find_first(); At >= 0;) {
      int End = Bits.find_next_unset(At);
      Ranges.push_back({uint64_t(At), End < 0 ? Bits.size() : uint64_t(End)});
      At = End < 0 ? -1 : Bits.find_next(End);
    }
    return Ranges;
  }

 private:
  void take(uint64_t Offset, uint64_t Bytes) {
    if (Offset + Bytes > Bits.size()) {
      Known = false;
      return;
    }
    Bits.set(Offset, Offset + Bytes);
  }

  void record(const clang::RecordDecl& Declared, uint64_t Offset, bool Complete) {
    const clang::RecordDecl* Record = Declared.getDefinition();
    if (!Record || Record->hasFlexibleArrayMember()) {
      Known = false;
      return;
    }
    const clang::ASTRecordLayout& L = C.getASTRecordLayout(Record);
    if (const auto* Class = dyn_cast<clang::CXXRecordDecl>(Record)) {
      if (L.hasOwnVFPtr()) {
        take(Offset, C.getTypeSizeInChars(C.VoidPtrTy).getQuantity());
      }
      forEachBase(*Class, L, Offset, Complete,
                  [&](const clang::CXXRecordDecl& Base, uint64_t At) { record(Base, At, false); });
    }
    for (const clang::FieldDecl* Field : Record->fields()) {
      uint64_t FirstBit = L.getFieldOffset(Field->getFieldIndex());
      if (Field->isBitField()) {
        uint64_t EndBit = FirstBit + Field->getBitWidthValue(C);
        take(Offset + FirstBit / 8, (EndBit + 7) / 8 - FirstBit / 8);
      } else {
        type(Field->getType(), Offset + FirstBit / 8);
      }
    }
  }

  clang::ASTContext& C;
  BitVector Bits;
};

Metadata* number(LLVMContext& C, uint64_t N) {
  return ConstantAsMetadata::get(ConstantInt::get(Type::getInt64Ty(C), N));
}

}  // namespace

std::optional<ByteRanges> valueBytes(clang::ASTContext& C, clang::QualType T) {
  if (T->isIncompleteType()) {
    return std::nullopt;
  }
  uint64_t Bytes = C.getTypeSizeInChars(T).getQuantity();
  if (Bytes > MostBytes) {
    return std::nullopt;
  }
  ValueBits Bits(C, Bytes);
  Bits.type(T, 0);
  ByteRanges Ranges = Bits.ranges();
  if (!Bits.Known || Ranges.size() > MostRanges) {
    return std::nullopt;
  }
  if (planted("value-bytes") && !Ranges.empty()) {
    Ranges.pop_back();
  }
  return Ranges;
}

void noteValueBytes(GlobalVariable& Info, ArrayRef<ByteRange> Ranges) {
  SmallVector<Metadata*> Numbers;
  for (ByteRange R : Ranges) {
    Numbers.push_back(number(Info.getContext(), R.Begin));
    Numbers.push_back(number(Info.getContext(), R.End));
  }
  Info.setMetadata(ValuesTag, MDNode::get(Info.getContext(), Numbers));
}

ByteRanges notedValueBytes(const GlobalVariable& Info, uint64_t Size) {
  const MDNode* Noted = Info.getMetadata(ValuesTag);
  if (!Noted) {
    return {{0, Size}};
  }
  auto At = [&](unsigned N) {
    return mdconst::extract<ConstantInt>(Noted->getOperand(N))->getZExtValue();
  };
  ByteRanges Ranges;
  for (unsigned N = 0; N + 1 < Noted->getNumOperands(); N += 2) {
    Ranges.push_back({At(N), At(N + 1)});
  }
  return Ranges;
}

}  // namespace burrow
