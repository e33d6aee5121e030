// Which stored values may be a pointer or a part of one, for barriers.
#pragma once

#include "llvm/IR/Instructions.h"

namespace burrow {

/// Whether a value of this type has room for a pointer.
bool isWide(llvm::Type* T, const llvm::DataLayout& Layout);

/// Whether the value may have been read from memory, or computed from an address, with its bits
/// kept: not a result of arithmetic that changes them, not a constant, not what the language says
/// is read as a number.
bool mayCarry(const llvm::Value* V);

/// Whether the language lets the access be to a part of a pointer: it is made as a char, or it is
/// not said as what.
bool accessesBytes(const llvm::Instruction& Access);

}  // namespace burrow
