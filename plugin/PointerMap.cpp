// See PointerMap.h.
#include "PointerMap.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "Bases.h"
#include "Diagnose.h"
#include "Options.h"
#include "Padding.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Mangle.h"
#include "clang/AST/RecordLayout.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr uint64_t WordBytes = 8;
/// As the library's header has it: larger types are looked at word by word.
constexpr uint64_t MostWords = 256;

/// ObjectKind of include/burrow/internal/object.h.
enum : uint64_t { Noscan = 0, Raw = 1, Exact = 2 };

struct WordMap {
  std::vector<uint64_t> Bits;
  bool HasPointers = false;
  std::string Inexact;  ///< why the type stays as it is; empty when it is exact
  std::optional<ByteRanges> Values;
};

/// From the half in clang to the one in LLVM, by the mangled name of the constant.
std::map<std::string, WordMap>& wordMaps() {
  static std::map<std::string, WordMap> Maps;
  return Maps;
}

class Layout {
 public:
  Layout(clang::ASTContext& Of, WordMap& Into) : C(Of), Map(Into) {}

  void type(clang::QualType T, uint64_t Offset, const std::string& Name) {
    T = T.getCanonicalType();
    if (const auto* Array = C.getAsConstantArrayType(T)) {
      array(*Array, Offset, Name);
    } else if (T->isPointerType() || T->isReferenceType() || T->isBlockPointerType()) {
      if (!T->getPointeeType()->isFunctionType()) {
        plainPointer(Offset, Name);
      }
    } else if (const auto* Atomic = T->getAs<clang::AtomicType>()) {
      type(Atomic->getValueType(), Offset, Name);
    } else if (const auto* Record = T->getAsRecordDecl()) {
      record(*Record, Offset, true, Name);
    } else if (!T->isBuiltinType() && !T->isEnumeralType() && !T->isMemberPointerType() &&
               !T->isVectorType() && !T->isAnyComplexType()) {
      inexact(Name + " is of a type with no known layout");
    }
  }

 private:
  void inexact(const std::string& Why) {
    if (Map.Inexact.empty()) {
      Map.Inexact = Why;
    }
  }

  void word(uint64_t Offset, const std::string& Name) {
    uint64_t Word = Offset / WordBytes;
    if (Offset % WordBytes != 0 || Word >= MostWords) {
      inexact(Name + (Word >= MostWords ? " lies too far behind" : " is not aligned"));
      return;
    }
    if (UnionDepth && !planted("map-union")) {
      inexact(Name + " is a pointer in a union");
    }
    if (Word > 0 && planted("map-word")) {
      return;
    }
    Map.Bits.resize(std::max<size_t>(Map.Bits.size(), Word / 64 + 1));
    Map.Bits[Word / 64] |= uint64_t{1} << Word % 64;
    Map.HasPointers = true;
  }

  void plainPointer(uint64_t Offset, const std::string& Name) {
    if (!Options::barriers()) {
      inexact(Name + " is a plain pointer");
    } else if (StdDepth) {
      inexact(Name + " is stored to by the C++ library");
    }
    word(Offset, Name);
  }

  void array(const clang::ConstantArrayType& Array, uint64_t Offset, const std::string& Name) {
    clang::QualType Element = Array.getElementType();
    uint64_t Count = Array.getSize().getZExtValue();
    uint64_t Size = C.getTypeSizeInChars(Element).getQuantity();
    if (UnionDepth || Aligned) {
      // Bytes in which other objects are made.
      if (Size == 1 && Count >= WordBytes) {
        inexact(Name + " is storage for other objects");
      }
    }
    if (Element->isBuiltinType()) {
      return;
    }
    for (uint64_t N = 0; N < Count; ++N) {
      type(Element, Offset + N * Size, Name);
      if (!Map.Inexact.empty() || !Map.HasPointers) {
        return;  // more of the same
      }
    }
  }

  /// A member type with a barrier of its own.
  static bool isPtr(const clang::RecordDecl& Record) {
    return Record.getQualifiedNameAsString() == "burrow::Ptr";
  }

  void record(const clang::RecordDecl& Declared, uint64_t Offset, bool Complete,
              const std::string& Name) {
    const clang::RecordDecl* Record = Declared.getDefinition();
    if (!Record || Record->hasFlexibleArrayMember()) {
      inexact(Name + " has no constant size");
      return;
    }
    if (isPtr(*Record)) {
      word(Offset, Name);
      return;
    }
    const clang::ASTRecordLayout& L = C.getASTRecordLayout(Record);
    StdDepth += Record->isInStdNamespace();
    if (const auto* Class = dyn_cast<clang::CXXRecordDecl>(Record)) {
      forEachBase(*Class, L, Offset, Complete, [&](const clang::CXXRecordDecl& Base, uint64_t At) {
        record(Base, At, false, Name);
      });
    }
    UnionDepth += Record->isUnion();
    for (const clang::FieldDecl* Field : Record->fields()) {
      if (Field->isBitField()) {
        continue;
      }
      bool Was = std::exchange(
          Aligned, Field->hasAttr<clang::AlignedAttr>() || Record->hasAttr<clang::AlignedAttr>());
      std::string Inner = Field->getName().empty() ? Name : Field->getNameAsString();
      type(Field->getType(), Offset + L.getFieldOffset(Field->getFieldIndex()) / 8, Inner);
      Aligned = Was;
    }
    UnionDepth -= Record->isUnion();
    StdDepth -= Record->isInStdNamespace();
  }

  clang::ASTContext& C;
  WordMap& Map;
  unsigned UnionDepth = 0, StdDepth = 0;
  bool Aligned = false;
};

template <class D>
const D* member(const clang::DeclContext* In, StringRef Name) {
  if (!In) {
    return nullptr;
  }
  clang::IdentifierInfo& Id = In->getParentASTContext().Idents.get(Name);
  for (const clang::NamedDecl* Found : In->lookup(&Id)) {
    if (auto* Wanted = dyn_cast<D>(Found)) {
      return Wanted;
    }
  }
  return nullptr;
}

class Consumer : public clang::ASTConsumer {
 public:
  void HandleTranslationUnit(clang::ASTContext& C) override {
    const auto* Outer = member<clang::NamespaceDecl>(C.getTranslationUnitDecl(), "burrow");
    const auto* Inner = member<clang::NamespaceDecl>(Outer, "internal");
    const auto* Infos = member<clang::VarTemplateDecl>(Inner, "kTypeInfo");
    if (!Infos) {
      return;
    }
    // What the user said of a type himself stands.
    std::set<const void*> Told;
    if (const auto* Maps = member<clang::ClassTemplateDecl>(Outer, "type_map")) {
      for (const auto* Special : Maps->specializations()) {
        if (Special->getSpecializationKind() == clang::TSK_ExplicitSpecialization &&
            Special->getTemplateArgs()[0].getKind() == clang::TemplateArgument::Type) {
          Told.insert(
              Special->getTemplateArgs()[0].getAsType().getCanonicalType().getAsOpaquePtr());
        }
      }
    }
    clang::ASTNameGenerator Names(C);
    for (const clang::VarTemplateSpecializationDecl* Info : Infos->specializations()) {
      const clang::TemplateArgument& Argument = Info->getTemplateArgs()[0];
      if (Argument.getKind() != clang::TemplateArgument::Type ||
          Argument.getAsType()->isDependentType()) {
        continue;
      }
      clang::QualType T = Argument.getAsType();
      WordMap Map;
      Layout(C, Map).type(T, 0, "it");
      if (hasTold(T, Told)) {
        Map.Inexact = "type_map says so";
      }
      explain(C, T, Map);
      Map.Values = valueBytes(C, T);
      wordMaps()[Names.getName(Info)] = std::move(Map);
    }
  }

 private:
  static bool hasTold(clang::QualType T, const std::set<const void*>& Told) {
    T = T.getCanonicalType().getUnqualifiedType();
    if (Told.count(T.getAsOpaquePtr())) {
      return true;
    }
    if (const auto* Array = dyn_cast<clang::ArrayType>(T)) {
      return hasTold(Array->getElementType(), Told);
    }
    const clang::CXXRecordDecl* Class = T->getAsCXXRecordDecl();
    if (!Class || !Class->hasDefinition()) {
      return false;
    }
    return any_of(Class->getDefinition()->bases(),
                  [&](const clang::CXXBaseSpecifier& B) { return hasTold(B.getType(), Told); }) ||
           any_of(Class->getDefinition()->fields(),
                  [&](const clang::FieldDecl* F) { return hasTold(F->getType(), Told); });
  }

  static void explain(clang::ASTContext& C, clang::QualType T, const WordMap& Map) {
    const clang::RecordDecl* Record = T->getAsRecordDecl();
    if (Options::explain() != Explain::Flows || Map.Inexact.empty() || !Record) {
      return;
    }
    const clang::SourceManager& Sources = C.getSourceManager();
    clang::PresumedLoc At = Sources.getPresumedLoc(Record->getLocation());
    if (At.isValid() && !Sources.isInSystemHeader(Record->getLocation())) {
      Decisions::get().note({At.getFilename(), At.getLine(), At.getColumn()},
                            T.getAsString() + " has no exact pointer map: " + Map.Inexact);
    }
  }
};

class Action : public clang::PluginASTAction {
 public:
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& /*Compiler*/,
                                                        StringRef /*File*/) override {
    return std::make_unique<Consumer>();
  }

  bool ParseArgs(const clang::CompilerInstance& /*Compiler*/,
                 const std::vector<std::string>& /*Arguments*/) override {
    return true;
  }

  ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<Action> Registered("burrow",
                                                            "exact pointer maps for make");

/// The constant with the map in it: TypeInfo is size, pointers, destroy, name, kind.
void patch(Module& M, GlobalVariable& Info, const WordMap& Map) {
  auto* Old = cast<ConstantStruct>(Info.getInitializer());
  SmallVector<Constant*> Fields;
  for (const Use& Op : Old->operands()) {
    Fields.push_back(cast<Constant>(Op));
  }
  auto* Kind = dyn_cast<ConstantInt>(Fields[4]);
  // What the header found exact by itself is; only what it could not see is filled in.
  if (!Kind || Kind->getZExtValue() != Raw) {
    return;
  }
  if (Map.HasPointers) {
    auto* Size = cast<ConstantInt>(Fields[0]);
    std::vector<uint64_t> Bits = Map.Bits;
    Bits.resize(std::max<size_t>(1, (Size->getZExtValue() / WordBytes + 63) / 64));
    Constant* Words = ConstantDataArray::get(M.getContext(), Bits);
    auto* Array = new GlobalVariable(M, Words->getType(), true, GlobalValue::PrivateLinkage, Words,
                                     "burrow.pointers");
    Fields[1] = Array;
  }
  Fields[4] = ConstantInt::get(Kind->getType(), Map.HasPointers ? Exact : Noscan);
  Info.setInitializer(ConstantStruct::get(Old->getType(), Fields));
}

}  // namespace

PreservedAnalyses PointerMapPass::run(Module& M, ModuleAnalysisManager& /*Analyses*/) {
  for (const auto& [Name, Map] : wordMaps()) {
    GlobalVariable* Info = M.getGlobalVariable(Name, /*AllowInternal=*/true);
    if (!Info || !Info->hasInitializer() || !Info->isConstant()) {
      continue;
    }
    if (Map.Values) {
      noteValueBytes(*Info, *Map.Values);
    }
    if (!Map.Inexact.empty()) {
      continue;
    }
    auto* Init = dyn_cast<ConstantStruct>(Info->getInitializer());
    if (Init && Init->getNumOperands() >= 5) {
      patch(M, *Info, Map);
    }
  }
  return PreservedAnalyses::all();
}

}  // namespace burrow
