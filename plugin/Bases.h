// A class's bases as they lie in its objects, for who reads layouts.
#pragma once

#include "clang/AST/DeclCXX.h"
#include "clang/AST/RecordLayout.h"

namespace burrow {

/// Calls `Visit(Base, Offset)` with the bases of a class at `Offset`; with the virtual ones only
/// where it is a complete object, which has them.
template <class F>
void forEachBase(const clang::CXXRecordDecl& Class, const clang::ASTRecordLayout& L,
                 uint64_t Offset, bool Complete, F Visit) {
  for (const clang::CXXBaseSpecifier& Base : Class.bases()) {
    const clang::CXXRecordDecl* B = Base.getType()->getAsCXXRecordDecl();
    if (!Base.isVirtual()) {
      Visit(*B, Offset + L.getBaseClassOffset(B).getQuantity());
    }
  }
  if (!Complete) {
    return;
  }
  for (const clang::CXXBaseSpecifier& Base : Class.vbases()) {
    const clang::CXXRecordDecl* B = Base.getType()->getAsCXXRecordDecl();
    Visit(*B, Offset + L.getVBaseClassOffset(B).getQuantity());
  }
}

}  // namespace burrow
