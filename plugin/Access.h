// What loads, stores and copies may carry, by the types that the source gave them.
//
// Memory has two planes. What is stored as a pointer, by an access that the source says is one, is
// in the typed plane; what is stored in another form is in the raw one. A load reads both, but
// where its type excludes that it reads a pointer object: strict aliasing gives an lvalue of type
// long no other memory than that of a long (or of bytes copied into one, which lie in the raw
// plane). Char and its like may read all, but not as a member of a class. Unions, may_alias and
// vectors say nothing, nor does anything with -fno-strict-aliasing.
//
// From -O1 on the types are in the accesses' TBAA tags. At -O0 clang gives none; there the types of
// the IR stand in for them, unless the frontend saw types that may alias others (TypePuns.cpp).
#pragma once

#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"

namespace burrow {

enum class Planes { Typed = 1, Raw = 2, Both = 3 };

constexpr bool includes(Planes All, Planes One) {
  return (static_cast<int>(All) & static_cast<int>(One)) != 0;
}

/// Whether the type is or contains a pointer.
bool hasPointer(const llvm::Type* T);

/// Whether a value of the type may be a pointer or hold one as far as its width goes: pointers, and
/// integers of their width. Only such are parameters whose memory a summary knows.
bool mayHoldPointer(const llvm::Type* T);

/// Whether a value of the type may hold a part of a pointer: all but single bits.
bool carriesBits(const llvm::Type* T);

Planes readBy(const llvm::LoadInst& Load);
Planes writtenBy(const llvm::StoreInst& Store);

/// Whether the copy is one of an object whose types the source knows, so that what was a pointer
/// stays one.
bool keepsTypes(const llvm::AnyMemTransferInst& Copy);

/// Marks a copy that is known to be of such an object: at -O0 clang does not.
void noteTypedCopy(llvm::AnyMemTransferInst& Copy);

/// What the frontend said of a module without TBAA tags: no types in it may alias others.
void setTypesOfIrTell(bool Tell);

}  // namespace burrow
