// See TypeMaps.h.
#include "TypeMaps.h"

#include "clang/AST/ASTContext.h"
#include "clang/Sema/Sema.h"
#include "clang/Sema/TemplateDeduction.h"

using namespace llvm;

namespace burrow {

namespace {

/// ObjectKind of include/burrow/internal/object.h.
enum : uint64_t { Noscan = 0, Exact = 2 };

const clang::NamedDecl* member(const clang::DeclContext* In, StringRef Name) {
  if (!In) {
    return nullptr;
  }
  clang::IdentifierInfo& Id = In->getParentASTContext().Idents.get(Name);
  auto Found = In->lookup(&Id);
  return Found.empty() ? nullptr : Found.front();
}

/// A PointerMap: its kind, and an array of words of bits.
std::optional<ToldMap> mapOf(const clang::APValue& Value) {
  ToldMap Map;
  if (!Value.isStruct() || Value.getStructNumFields() < 2 || !Value.getStructField(0).isInt()) {
    return std::nullopt;
  }
  uint64_t Kind = Value.getStructField(0).getInt().getZExtValue();
  Map.Exact = Kind == Noscan || Kind == Exact;
  // std::array, and the array in it.
  const clang::APValue* Bits = &Value.getStructField(1);
  while (Bits->isStruct() && Bits->getStructNumFields() > 0) {
    Bits = &Bits->getStructField(0);
  }
  if (!Bits->isArray()) {
    return std::nullopt;
  }
  for (unsigned N = 0; Kind == Exact && N < Bits->getArrayInitializedElts(); ++N) {
    const clang::APValue& Part = Bits->getArrayInitializedElt(N);
    uint64_t Word = Part.isInt() ? Part.getInt().getZExtValue() : 0;
    for (unsigned Bit = 0; Bit < 64; ++Bit) {
      if (Word >> Bit & 1) {
        Map.Words.push_back(N * 64 + Bit);
      }
    }
  }
  return Map;
}

}  // namespace

const clang::NamedDecl* findInBurrow(clang::ASTContext& C, StringRef Name, bool Internal) {
  const auto* In =
      dyn_cast_or_null<clang::NamespaceDecl>(member(C.getTranslationUnitDecl(), "burrow"));
  if (Internal) {
    In = dyn_cast_or_null<clang::NamespaceDecl>(member(In, "internal"));
  }
  return member(In, Name);
}

TypeMaps::TypeMaps(clang::Sema& Of) : S(Of) {
  const auto* Found = dyn_cast_or_null<clang::ClassTemplateDecl>(
      findInBurrow(S.getASTContext(), "type_map", false));
  Template = const_cast<clang::ClassTemplateDecl*>(Found);
}

const ToldMap* TypeMaps::of(clang::QualType T) {
  if (!Template) {
    return nullptr;
  }
  T = T.getCanonicalType().getUnqualifiedType();
  auto [At, New] = Known.try_emplace(T.getAsOpaquePtr());
  if (New) {
    At->second = find(T);
  }
  return At->second ? &*At->second : nullptr;
}

std::optional<ToldMap> TypeMaps::find(clang::QualType T) {
  clang::SourceLocation Here = Template->getLocation();
  clang::TemplateArgumentListInfo Arguments(Here, Here);
  Arguments.addArgument(clang::TemplateArgumentLoc(
      clang::TemplateArgument(T), S.getASTContext().getTrivialTypeSourceInfo(T, Here)));
  clang::QualType Map = S.CheckTemplateIdType(clang::TemplateName(Template), Here, Arguments);
  if (Map.isNull() || !S.isCompleteType(Here, Map)) {
    return std::nullopt;  // the template itself has no definition
  }
  clang::CXXRecordDecl* Class = Map->getAsCXXRecordDecl();
  ToldMap Unknown;
  const auto* Fields = dyn_cast_or_null<clang::VarDecl>(member(Class, "kFields"));
  if (!Fields) {
    return Unknown;
  }
  auto* Variable = const_cast<clang::VarDecl*>(Fields);
  if (!Variable->getAnyInitializer()) {
    S.InstantiateVariableDefinition(Here, Variable);
  }
  const clang::APValue* Value = Variable->getAnyInitializer() ? Variable->evaluateValue() : nullptr;
  return Value ? mapOf(*Value).value_or(Unknown) : Unknown;
}

}  // namespace burrow
