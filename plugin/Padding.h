// Which bytes of a type hold values; the others are padding, which need not be zeroed.
//
// The half in clang reads the layout (called from PointerMap.cpp, which finds the types given to
// make); metadata on their kTypeInfo carries it to Promote. Only a moved object needs it: on the
// heap all of an object is zero anyway, on the stack each byte that is zeroed for nothing costs.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/GlobalVariable.h"

namespace clang {
class ASTContext;
class QualType;
}  // namespace clang

namespace burrow {

struct ByteRange {
  uint64_t Begin, End;
};

using ByteRanges = llvm::SmallVector<ByteRange, 4>;

/// Bytes of an object of the type that hold values, in order; nothing where they are too many
/// pieces to be worth it or the layout is not constant.
std::optional<ByteRanges> valueBytes(clang::ASTContext& C, clang::QualType T);

void noteValueBytes(llvm::GlobalVariable& Info, llvm::ArrayRef<ByteRange> Ranges);
/// What was noted; all `Size` bytes where nothing was.
ByteRanges notedValueBytes(const llvm::GlobalVariable& Info, uint64_t Size);

}  // namespace burrow
