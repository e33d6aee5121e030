// What the program says of its types by specialising burrow::type_map, in part or in full.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Type.h"

namespace clang {
class Sema;
}  // namespace clang

namespace burrow {

/// The declaration `Name` of namespace burrow, or null.
const clang::NamedDecl* findInBurrow(clang::ASTContext& C, llvm::StringRef Name, bool Internal);

template <class D>
const D* findInternal(clang::ASTContext& C, llvm::StringRef Name) {
  return llvm::dyn_cast_or_null<D>(findInBurrow(C, Name, true));
}

struct ToldMap {
  bool Exact = false;  ///< false: any word may be a pointer
  std::vector<uint64_t> Words;
};

/// Asks clang which specialisation a type has, as the library's header would: constraints and
/// defaults included.
class TypeMaps {
 public:
  explicit TypeMaps(clang::Sema& Of);

  /// Null where nothing was said.
  const ToldMap* of(clang::QualType T);

 private:
  std::optional<ToldMap> find(clang::QualType T);

  clang::Sema& S;
  clang::ClassTemplateDecl* Template = nullptr;
  std::map<const void*, std::optional<ToldMap>> Known;
};

}  // namespace burrow
